// The page: what changes asks the core, and what the core answers is shown.

import examples from "virtual:examples";
import { CallerChoice } from "./callers";
import { Chart } from "./chart";
import { Comparison } from "./comparison";
import { Core } from "./core";
import { Drawing } from "./draw";
import { Editor } from "./editor";
import { fill } from "./form";
import { MAX_LOG, type Places, apart, listed } from "./messages";
import { number, seconds } from "./numbers";
import { INITIAL_TRAFFIC, type State, fromLink, toLink } from "./state";

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
let trailing = 0;
let moment = 0;

const example = element<HTMLSelectElement>("example");
const core = new Core(element("progress"));
const editor = new Editor(element("editor"), state.policy, (text) => {
  state.policy = text;
  example.value = "";
  run();
});
const chart = new Chart(element("chart"), 260, (from, to) => {
  zoom = [from, to];
  show();
}, (at) => choose(at));

// --- traffic

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
  if (logged) form.replaceChildren();
  else fill(form, state.traffic, run);
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

example.append(new Option("your own", ""));
for (const [group, policies] of Object.entries(examples)) {
  const options = document.createElement("optgroup");
  options.label = group;
  options.append(...Object.keys(policies).map((name) => new Option(name, `${group}\n${name}`)));
  example.append(options);
}
if (!linked) example.value = `Systems\n${FIRST}`;
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
    limit: state.limit, places: PLACES, caller: state.caller,
  });
  if (!answer) return;
  findings(answer.findings ?? []);
  if (answer.words) limits(answer.limits ?? []);
  element("words").textContent = answer.words || "Nothing, as long as the policy has errors.";
  const { totals, places, callers } = answer;
  const stale = totals ? "" : "The policy has errors. What follows is that of the last one without.";
  element("problem").textContent = (answer.failed ?? answer.problem) || stale;
  document.body.classList.toggle("stale", !totals);
  if (!totals || !places) return;
  [, , quota = 0, trailing = 0, length = 0] = totals;
  draw(apart(places, PLACES), 0, length, callers ?? [], totals);
  link();
  choose(moment);
  // Not at each key: the picture above comes first.
  comparing = setTimeout(compare, 150);
}
let comparing = 0;
/** Admitted and rejected of all callers. */
let all: [number, number] = [0, 0];

/** The same traffic, from another place or of another caller. */
async function show() {
  const [from, to] = zoom ?? [0, length];
  const answer = await core.ask({ kind: "places", from, to, places: PLACES, caller: state.caller });
  if (answer?.places) draw(apart(answer.places, PLACES), from, to, answer.callers ?? []);
}

const callerChoice = new CallerChoice(element<HTMLSelectElement>("caller"), showCaller);

function showCaller(request: number | undefined) {
  state.caller = request;
  show();
  link();
  choose(moment);
}

function draw(places: Places, from: number, to: number, callers: string[], totals?: Float64Array) {
  if (totals) all = [totals[0] ?? 0, totals[1] ?? 0];
  const { listed: known, count, chosen } = listed(callers);
  state.caller = chosen?.request;
  callerChoice.show(known, count, chosen);
  element("only").hidden = count < 2 || chosen !== undefined;
  element<HTMLButtonElement>("rejection").disabled = (chosen?.rejected ?? all[1]) === 0;
  element("totals").textContent = chosen
    ? `${chosen.name}: ${outcome(chosen.admitted, chosen.rejected)} ${fullest("Its", places, chosen.quota)}`
    : `${outcome(...all)} ${fullest("The", places, quota)}`;
  element("unzoom").hidden = zoom === undefined;
  chart.draw({ places, from, to, quota: chosen?.quota ?? quota });
  // For the tests: when the newest picture was drawn, and the first.
  const now = String(performance.now());
  document.body.dataset["drawn"] = now;
  document.body.dataset["first"] ??= now;
}

function outcome(admitted: number, rejected: number): string {
  return `${number(admitted)} admitted, ${number(rejected)} rejected.`;
}

function fullest(whose: string, { worst }: Places, of: number): string {
  const beyond = worst.units > of ? `, ${number(worst.units - of)} more than the quota` : "";
  return `${whose} fullest trailing window of ${seconds(trailing)} has ${number(worst.units)} of ${number(of)}${beyond}, at ${seconds(worst.at)}.`;
}

element("unzoom").addEventListener("click", () => {
  zoom = undefined;
  show();
});
// What a drag does, for the keyboard: around the moment, a quarter of what is seen.
element("zoom").addEventListener("click", () => {
  const [from, to] = zoom ?? [0, length];
  const part = (to - from) / 4;
  const start = Math.min(Math.max(moment - part / 2, from), to - part);
  zoom = [start, start + part];
  show();
});

/** Shows the response to the first request at or after an instant in ms, or the first rejection. */
async function choose(at: number | "rejection") {
  const answer = await core.ask({ kind: "reply", at, caller: state.caller });
  if (!answer?.reply) return;
  const [status = "", headers = "", body = "", why = "", request = "", from = "", when = "0"] = answer.reply;
  if (status === "" && at === "rejection") return;
  moment = Math.min(Math.max(at === "rejection" ? Number(when) : at, 0), length);
  scrub.value = String(length ? Math.round((moment / length) * 1000) : 0);
  element("moment").textContent = seconds(Number(when));
  element("whose").textContent = from === "" ? "" : `to ${from}`;
  only.value = request;
  element("reply").textContent = status === "" || status === "0" ? "no response" : `HTTP/1.1 ${status}\n${headers}\n${body}`;
  element("reply").className = Number(status) >= 400 ? "rejected" : "";
  element("why").textContent = why;
}

const scrub = element<HTMLInputElement>("scrub");
scrub.addEventListener("input", () => choose((Number(scrub.value) / 1000) * length));
element("rejection").addEventListener("click", () => choose("rejection"));
const only = element<HTMLButtonElement>("only");
only.addEventListener("click", () => showCaller(Number(only.value)));

const comparison = new Comparison(element("compare"), PLACES);

async function compare() {
  const answer = await core.ask({ kind: "compare", limit: state.limit, places: PLACES });
  if (answer?.compared) comparison.draw(answer.compared, length, quota);
}

// --- the rest

/** The number of a request of a log says nothing without the log. */
const shared = (): State => ({ ...state, caller: logged ? undefined : state.caller });

let writing = 0;
function link() {
  clearTimeout(writing);
  writing = setTimeout(async () => {
    const hash = await toLink(shared()).catch(() => "");
    history.replaceState(null, "", `#${hash}`);
  }, 300);
}

element("share").addEventListener("click", async () => {
  const button = element("share");
  try {
    history.replaceState(null, "", `#${await toLink(shared())}`);
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
  comparison.redraw();
  drawing.show(state.traffic.counts);
}
theme.addEventListener("click", () => setTheme(theme.getAttribute("aria-pressed") !== "true"));
setTheme(matchMedia("(prefers-color-scheme: dark)").matches);

fields();
run();
