// The page: what changes asks the core, and what the core answers is shown.

import examples from "virtual:examples";
import { Chart } from "./chart";
import { Core } from "./core";
import { Drawing } from "./draw";
import { Editor } from "./editor";
import { MAX_LOG, apart } from "./messages";
import { INITIAL_TRAFFIC, type State, type Traffic, fromLink, toLink } from "./state";

const PLACES = 300;
const FIRST = "billium";

function element<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const linked = location.hash.length > 1 ? await fromLink(location.hash) : undefined;
const state: State = linked ?? {
  policy: examples["Systems"]?.[FIRST] ?? "",
  traffic: structuredClone(INITIAL_TRAFFIC),
  limit: [0, 0],
};
let zoom: [number, number] | undefined;
let length = 0;
let quota = 0;
let moment = 0;

const core = new Core(element("progress"));
const editor = new Editor(element("editor"), state.policy, (text) => {
  state.policy = text;
  run();
});
const chart = new Chart(element("chart"), 260, (from, to) => {
  zoom = [from, to];
  show();
}, (at) => choose(at));

// --- traffic

type Input = [name: keyof Traffic, label: string, kind: "number" | "text" | "lines", shapes?: string[]];
const INPUTS: Input[] = [
  ["seconds", "Seconds", "number"],
  ["rate", "Requests per second", "number", ["steady", "crowd"]],
  ["size", "Requests in a burst", "number", ["bursts", "edges"]],
  ["every", "Seconds between bursts", "number", ["bursts"]],
  ["window", "Window in seconds", "number", ["edges"]],
  ["callers", "Callers", "number"],
  ["request", "Request", "text"],
  ["headers", "Headers ({caller} is the caller's number)", "lines"],
  ["status", "Upstream answers", "number"],
  ["took_ms", "after ms", "number"],
];
const shape = element<HTMLSelectElement>("shape");
const drawing = new Drawing(element<HTMLCanvasElement>("draw"), state.traffic.counts, (counts) => {
  state.traffic.counts = counts;
  run();
});

/** Whether the traffic is that of a log. It is not in the link: a log belongs to whoever has it. */
let logged = false;

function fields() {
  const form = element("traffic");
  shape.value = logged ? "log" : state.traffic.shape;
  form.replaceChildren();
  for (const [name, label, kind, shapes] of logged ? [] : INPUTS) {
    if (shapes && !shapes.includes(state.traffic.shape)) continue;
    const input = document.createElement(kind === "lines" ? "textarea" : "input");
    if (input instanceof HTMLInputElement) input.type = kind;
    input.name = name;
    const value = state.traffic[name];
    input.value = Array.isArray(value) ? value.join("\n") : String(value);
    input.addEventListener("input", () => {
      const text = input.value;
      const lines = () => text.split("\n").filter((line) => line.trim() !== "");
      Object.assign(state.traffic, { [name]: kind === "number" ? Number(text) : kind === "lines" ? lines() : text });
      run();
    });
    const wrapped = document.createElement("label");
    wrapped.append(label, input);
    form.append(wrapped);
  }
  element("draw").hidden = logged || state.traffic.shape !== "drawn";
  drawing.show(state.traffic.counts);
}

element("traffic").addEventListener("submit", (event) => event.preventDefault());
function setLogged(is: boolean, words: string) {
  logged = is;
  element("read").textContent = words;
  const option = shape.querySelector<HTMLOptionElement>("option[value=log]")!;
  option.hidden = option.disabled = !is;
  fields();
}
shape.addEventListener("change", () => {
  if (shape.value === "log") return;
  state.traffic.shape = shape.value;
  setLogged(false, "");
  run();
});

async function readLog(file: File) {
  const refused = file.size > MAX_LOG ? `${file.name} is longer than ${MAX_LOG >> 20} MiB: use tollgate replay` : "";
  element("problem").textContent = refused;
  if (refused) return;
  element("read").textContent = `reading ${file.name} …`;
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch (error) {
    setLogged(false, `${file.name} cannot be read: ${error}`);
    return run();
  }
  const answer = await core.ask({ kind: "log", bytes });
  if (!answer) return;
  const [outcome, words = answer.failed ?? ""] = answer.log ?? [];
  setLogged(outcome === "ok", `${file.name}: ${words}`);
  run();
}

const log = element<HTMLInputElement>("log");
log.addEventListener("change", () => {
  const file = log.files?.[0];
  if (file) readLog(file);
  log.value = ""; // so that the same file can be chosen again
});
addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
});
addEventListener("drop", (event) => {
  const file = event.dataTransfer?.files[0];
  if (!file) return;
  event.preventDefault();
  readLog(file);
}, { capture: true });

// --- the policy

const example = element<HTMLSelectElement>("example");
example.append(new Option("", ""));
for (const [group, policies] of Object.entries(examples)) {
  const options = document.createElement("optgroup");
  options.label = group;
  options.append(...Object.keys(policies).map((name) => new Option(name, `${group}\n${name}`)));
  example.append(options);
}
example.addEventListener("change", () => {
  const [group = "", name = ""] = example.value.split("\n");
  const text = examples[group]?.[name];
  if (text === undefined) return;
  state.policy = text;
  state.limit = [0, 0];
  editor.text = text;
  run();
});

const limit = element<HTMLSelectElement>("limit");
limit.addEventListener("change", () => {
  const [policy = 0, number = 0] = limit.value.split("/").map(Number);
  state.limit = [policy, number];
  run();
});

function limits(named: string[]) {
  const options = [];
  for (let at = 0; at + 2 < named.length; at += 3) {
    options.push(new Option(named[at + 2], `${named[at]}/${named[at + 1]}`));
  }
  limit.replaceChildren(...options);
  limit.value = state.limit.join("/");
  if (limit.selectedIndex < 0 && options.length > 0) {
    limit.selectedIndex = 0;
    state.limit = [0, 0];
  }
}

function findings(all: string[]) {
  const shown = [];
  for (let at = 0; at + 2 < all.length; at += 3) {
    const severity = all[at + 1] === "error" ? "error" as const : "warning" as const;
    shown.push({ line: Number(all[at]), severity, text: all[at + 2]! });
  }
  editor.show(shown);
  element("findings").replaceChildren(...shown.map(({ line, severity, text }) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    item.className = severity;
    button.type = "button";
    button.textContent = line ? `line ${line}: ${severity}: ${text}` : `${severity}: ${text}`;
    button.addEventListener("click", () => editor.go(line));
    item.append(button);
    return item;
  }));
}

// --- what happens

/** As `MAX_TEXT` of the core. What is far longer need not be sent to be refused. */
const MAX_POLICY = 256 * 1024;

/** Everything anew: the policy or the traffic has changed. */
async function run() {
  zoom = undefined;
  clearTimeout(comparing);
  const answer = await core.ask({
    kind: "run", policy: state.policy.slice(0, MAX_POLICY + 1), traffic: logged ? undefined : JSON.stringify(state.traffic),
    limit: state.limit, places: PLACES,
  });
  if (!answer) return;
  findings(answer.findings ?? []);
  limits(answer.limits ?? []);
  element("words").textContent = answer.words ?? "";
  element("problem").textContent = answer.failed ?? answer.problem ?? "";
  const { totals, places } = answer;
  document.body.classList.toggle("stale", !totals);
  if (!totals || !places) return;
  const [admitted = 0, rejected = 0, of = 0, window = 0, whole = 0] = totals;
  [quota, length] = [of, whole];
  const drawn = apart(places, PLACES);
  const { worst } = drawn;
  const beyond = worst.units > quota ? `, ${worst.units - quota} more than the quota` : "";
  element("totals").textContent =
    `${number(admitted)} admitted, ${number(rejected)} rejected. The fullest trailing window of ${seconds(window)} has ` +
    `${number(worst.units)} of ${number(quota)}${beyond}, at ${seconds(worst.at)}.`;
  draw(drawn, 0, length);
  link();
  choose(moment);
  // Not at each key: the picture above comes first.
  comparing = setTimeout(compare, 150);
}
let comparing = 0;

async function show() {
  const [from, to] = zoom ?? [0, length];
  const answer = await core.ask({ kind: "places", from, to, places: PLACES });
  if (answer?.places) draw(apart(answer.places, PLACES), from, to);
}

function draw(places: ReturnType<typeof apart>, from: number, to: number) {
  element("unzoom").hidden = zoom === undefined;
  chart.draw({ places, from, to, quota });
  // For the tests: when the newest picture was drawn, and the first.
  const now = String(performance.now());
  document.body.dataset["drawn"] = now;
  document.body.dataset["first"] ??= now;
}

element("unzoom").addEventListener("click", () => {
  zoom = undefined;
  show();
});

async function choose(at: number, request?: number) {
  moment = Math.min(Math.max(at, 0), length);
  element<HTMLInputElement>("scrub").value = String(length ? Math.round((moment / length) * 1000) : 0);
  element("moment").textContent = seconds(moment);
  const answer = await core.ask({ kind: "reply", at: moment, ...(request === undefined ? {} : { number: request }) });
  const [status = "", headers = "", body = "", why = ""] = answer?.reply ?? [];
  if (!answer?.reply) return;
  element("reply").textContent = status === "" || status === "0" ? "no response" : `HTTP/1.1 ${status}\n${headers}\n${body}`;
  element("reply").className = Number(status) >= 400 ? "rejected" : "";
  element("why").textContent = why;
}

element<HTMLInputElement>("scrub").addEventListener("input", (event) => {
  choose((Number((event.target as HTMLInputElement).value) / 1000) * length);
});
element("rejection").addEventListener("click", async () => {
  const answer = await core.ask({ kind: "places", from: 0, to: length, places: 10_000 });
  const place = answer?.places && apart(answer.places, 10_000).rejected.findIndex((count) => count > 0);
  if (place === undefined || place < 0) return;
  // Of the place, the last request before its end.
  choose(((place + 1) / 10_000) * length - length / 20_000);
});

const compared = new Map<string, { box: HTMLElement; text: HTMLElement; chart: Chart }>();

async function compare() {
  const answer = await core.ask({ kind: "compare", limit: state.limit, places: PLACES });
  if (!answer?.compared) return;
  const parent = element("compare");
  const names = answer.compared.map(([name]) => name);
  for (const [name, { box }] of compared) {
    if (names.includes(name)) continue;
    box.remove();
    compared.delete(name);
  }
  for (const [name, numbers] of answer.compared) {
    let one = compared.get(name);
    if (!one) {
      const [box, title, text, plot] = ["div", "h3", "p", "div"].map((tag) => document.createElement(tag)) as
        [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
      title.textContent = name;
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", `Timeline of ${name}`);
      box.dataset["algorithm"] = name;
      box.append(title, text, plot);
      parent.append(box);
      one = { box, text, chart: new Chart(plot, 130) };
      compared.set(name, one);
    }
    const places = apart(numbers, PLACES);
    const { worst } = places;
    const admitted = numbers[3 * PLACES + 3] ?? 0;
    one.text.textContent = `worst window ${number(worst.units)} of ${number(quota)}; ${number(admitted)} admitted`;
    one.box.classList.toggle("beyond", worst.units > quota);
    one.box.dataset["worst"] = String(worst.units);
    one.chart.draw({ places, from: 0, to: length, quota });
  }
}

// --- the rest

let writing = 0;
function link() {
  clearTimeout(writing);
  writing = setTimeout(async () => {
    const hash = await toLink(state).catch(() => "");
    history.replaceState(null, "", `#${hash}`);
  }, 300);
}

element("share").addEventListener("click", async () => {
  const button = element("share");
  try {
    history.replaceState(null, "", `#${await toLink(state)}`);
  } catch {
    button.textContent = "Too long for a link";
    return;
  }
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The address has it";
  }
  setTimeout(() => (button.textContent = "Copy link"), 2000);
});

addEventListener("hashchange", async () => {
  const read = await fromLink(location.hash);
  if (!read) return;
  Object.assign(state, read);
  editor.text = state.policy;
  setLogged(false, "");
  run();
});

const theme = element("theme");
function setTheme(dark: boolean) {
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  theme.setAttribute("aria-pressed", String(dark));
  chart.redraw();
  compared.forEach((one) => one.chart.redraw());
  drawing.show(state.traffic.counts);
}
theme.addEventListener("click", () => setTheme(theme.getAttribute("aria-pressed") !== "true"));
setTheme(matchMedia("(prefers-color-scheme: dark)").matches);

function number(value: number): string {
  return value.toLocaleString("en");
}

function seconds(ms: number): string {
  return `${number(Math.round(ms) / 1000)} s`;
}

fields();
run();
