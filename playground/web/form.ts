// The fields of made traffic.

import type { Traffic } from "./state";

type Input = [name: keyof Traffic, label: string, kind: "number" | "text" | "lines", shapes?: string[]];

const INPUTS: Input[] = [
  ["seconds", "Seconds", "number"],
  ["rate", "Requests per second", "number", ["steady", "crowd"]],
  ["size", "Requests in a burst", "number", ["bursts", "edges"]],
  ["every", "Seconds between bursts", "number", ["bursts"]],
  ["window", "Window in seconds", "number", ["edges"]],
  ["callers", "Callers", "number"],
  ["request", "Request", "text"],
  ["headers", "Headers ({caller}: the caller's number)", "lines"],
  ["status", "Upstream's status", "number"],
  ["took_ms", "Upstream's time in ms", "number"],
];

/** Makes the fields of this traffic's shape, which change it. */
export function fill(form: HTMLElement, traffic: Traffic, changed: () => void) {
  const shown = INPUTS.filter(([, , , shapes]) => !shapes || shapes.includes(traffic.shape));
  form.replaceChildren(...shown.map((input) => labelled(input, traffic, changed)));
}

function labelled([name, label, kind]: Input, traffic: Traffic, changed: () => void): HTMLElement {
  const input = document.createElement(kind === "lines" ? "textarea" : "input");
  if (input instanceof HTMLInputElement) input.type = kind;
  input.name = name;
  const value = traffic[name];
  input.value = Array.isArray(value) ? value.join("\n") : String(value);
  input.addEventListener("input", () => {
    Object.assign(traffic, { [name]: read(input.value, kind) });
    changed();
  });
  const wrapped = document.createElement("label");
  wrapped.append(label, input);
  return wrapped;
}

function read(text: string, kind: Input[2]): number | string | string[] {
  if (kind === "lines") return text.split("\n").filter((line) => line.trim() !== "");
  return kind === "number" ? Number(text) : text;
}
