// The timeline: requests in each place, and the fullest trailing window against the quota.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Places } from "./messages";

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export interface Drawn {
  places: Places;
  /** In ms. */
  from: number;
  to: number;
  quota: number;
}

export class Chart {
  #plot: uPlot | undefined;
  #drawn: Drawn | undefined;

  constructor(
    private parent: HTMLElement,
    private height: number,
    private zoomed?: (from: number, to: number) => void,
    private chosen?: (at: number) => void,
  ) {
    new ResizeObserver(() => this.#plot?.setSize({ width: this.parent.clientWidth, height: this.height })).observe(parent);
  }

  draw(drawn: Drawn) {
    this.#drawn = drawn;
    const { places, from, to, quota } = drawn;
    const count = places.admitted.length;
    const middle = (place: number) => (from + ((place + 0.5) * (to - from)) / count) / 1000;
    const data: uPlot.AlignedData = [
      Float64Array.from({ length: count }, (_, place) => middle(place)),
      places.admitted.map((admitted, place) => admitted + places.rejected[place]!),
      places.admitted,
      places.trailing,
      new Float64Array(count).fill(quota),
    ];
    if (this.#plot) {
      this.#plot.setData(data);
      return;
    }
    this.#plot = new uPlot(this.#options(), data, this.parent);
    const over = this.#plot.over;
    over.addEventListener("click", () => {
      const left = this.#plot?.cursor.left;
      if (left !== undefined && left >= 0) this.chosen?.(this.#plot!.posToVal(left, "x") * 1000);
    });
  }

  /** Colours have changed. */
  redraw() {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#drawn) this.draw(this.#drawn);
  }

  #options(): uPlot.Options {
    const bars = uPlot.paths.bars!({ size: [1, 40], align: 0 });
    const axis = { stroke: colour("--fore"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: this.parent.clientWidth || 600,
      height: this.height,
      legend: { show: this.zoomed !== undefined },
      cursor: { drag: { x: true, y: false, setScale: false } },
      scales: { x: { time: false }, y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
      axes: [{ ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => `${tick} s`) }, { ...axis, size: 50 }],
      series: [
        { label: "time", value: (_, value) => (value === null ? "–" : `${value.toFixed(2)} s`) },
        {
          label: "rejected", paths: bars, fill: colour("--bad"), points: { show: false },
          // Its bar stands behind that of the admitted, and is as high as both.
          value: (plot, both, _, place) => (place == null ? "–" : String(both - (plot.data[2]?.[place] ?? 0))),
        },
        { label: "admitted", paths: bars, fill: colour("--good"), points: { show: false } },
        { label: "trailing window", stroke: colour("--accent"), width: 2, points: { show: false } },
        { label: "quota", stroke: colour("--fore"), dash: [6, 4], points: { show: false } },
      ],
      hooks: {
        setSelect: [
          (plot) => {
            if (plot.select.width > 4) {
              const at = (position: number) => plot.posToVal(position, "x") * 1000;
              this.zoomed?.(at(plot.select.left), at(plot.select.left + plot.select.width));
            }
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }
}
