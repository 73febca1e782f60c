// Whose requests the timeline shows: those of all callers, or of one.

import type { Listed } from "./messages";
import { number } from "./numbers";

export class CallerChoice {
  #all: Listed[] = [];

  /** `changed`: with the number of a request of the caller, or nothing for all callers. */
  constructor(private select: HTMLSelectElement, changed: (request: number | undefined) => void) {
    select.addEventListener("change", () => changed(select.value === "" ? undefined : Number(select.value)));
  }

  /** Shows the callers that there are, and which of them is chosen. */
  show(listed: Listed[], count: number, chosen: Listed | undefined) {
    this.#all = listed;
    const options = this.#all.map(
      ({ request, name, admitted, rejected }) =>
        new Option(`${name}: ${number(admitted)} admitted, ${number(rejected)} rejected`, String(request)),
    );
    const more = new Option(`… and ${number(count - listed.length)} more: click one in the timeline`);
    more.disabled = true;
    const all = new Option(count === 1 ? "the only one" : `all ${number(count)}`, "");
    this.select.replaceChildren(all, ...options, ...(count > listed.length ? [more] : []));
    this.select.value = chosen ? String(chosen.request) : "";
    this.select.disabled = count === 0;
  }
}
