// The same traffic under each algorithm that the limit can have.

import { Chart } from "./chart";
import { apart } from "./messages";
import { number } from "./numbers";

interface Box {
  box: HTMLElement;
  text: HTMLElement;
  chart: Chart;
}

export class Comparison {
  #boxes = new Map<string, Box>();

  constructor(private parent: HTMLElement, private places: number) {}

  draw(compared: [string, Float64Array][], length: number, quota: number) {
    const names = compared.map(([name]) => name);
    for (const [name, { box }] of this.#boxes) {
      if (names.includes(name)) continue;
      box.remove();
      this.#boxes.delete(name);
    }
    for (const [name, numbers] of compared) this.#draw(this.#boxes.get(name) ?? this.#add(name), numbers, length, quota);
  }

  /** Colours have changed. */
  redraw() {
    this.#boxes.forEach(({ chart }) => chart.redraw());
  }

  #add(name: string): Box {
    const [box, title, text, plot] = ["div", "h3", "p", "div"].map((tag) => document.createElement(tag)) as
      [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
    title.textContent = name;
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", `Timeline of ${name}`);
    box.dataset["algorithm"] = name;
    box.append(title, text, plot);
    this.parent.append(box);
    const added = { box, text, chart: new Chart(plot, 130) };
    this.#boxes.set(name, added);
    return added;
  }

  #draw({ box, text, chart }: Box, numbers: Float64Array, length: number, quota: number) {
    const places = apart(numbers, this.places);
    const { worst } = places;
    const admitted = numbers[3 * this.places + 3] ?? 0;
    text.textContent = `fullest window ${number(worst.units)} of ${number(quota)}; ${number(admitted)} admitted`;
    box.classList.toggle("beyond", worst.units > quota);
    box.dataset["worst"] = String(worst.units);
    chart.draw({ places, from: 0, to: length, quota });
  }
}
