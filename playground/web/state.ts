// What a link to the page contains.

import { through } from "./through";

/** How traffic is made. `playground/src/traffic.rs` reads it. */
export interface Traffic {
  shape: string;
  seconds: number;
  rate: number;
  size: number;
  every: number;
  window: number;
  callers: number;
  counts: number[];
  request: string;
  headers: string[];
  status: number;
  took_ms: number;
}

export interface State {
  policy: string;
  traffic: Traffic;
  /** The watched limit: the numbers of its policy and of itself. */
  limit: [number, number];
  /** The only caller that the timeline shows, by the number of one of its requests. */
  caller?: number | undefined;
}

export const INITIAL_TRAFFIC: Traffic = {
  shape: "edges", seconds: 180, rate: 2, size: 50, every: 30, window: 60, callers: 1,
  counts: Array.from({ length: 60 }, (_, place) => Math.round(4 + 3 * Math.sin(place / 5))),
  request: "GET /", headers: [], status: 200, took_ms: 20,
};

/** A link can't hold more, whatever somebody makes of it. */
const MAX_STATE = 1_000_000;

export async function toLink(state: State): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  const packed = await through(bytes, new CompressionStream("deflate-raw"), MAX_STATE);
  const text = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export const SHAPES = ["steady", "bursts", "edges", "crowd", "drawn"];

/** Whether a value can be that of a field. Its range is for the core to judge. */
function fits(name: string, value: unknown): boolean {
  if (name === "shape") return SHAPES.includes(value as string);
  const usual = INITIAL_TRAFFIC[name as keyof Traffic];
  if (!Array.isArray(usual)) return typeof value === typeof usual;
  const of = name === "counts" ? "number" : "string";
  return Array.isArray(value) && (name !== "counts" || value.length > 0) && value.every((one) => typeof one === of);
}

/** The state in a link, with what is missing or of another type left as it is. */
export async function fromLink(hash: string): Promise<State | undefined> {
  try {
    const text = atob(hash.replace(/^#/, "").replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const read: unknown = JSON.parse(new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"), MAX_STATE)));
    if (typeof read !== "object" || read === null || typeof (read as State).policy !== "string") return undefined;
    const { policy, traffic, limit, caller } = read as Partial<State> & { policy: string };
    const kept = Object.entries(traffic ?? {}).filter(([name, value]) => Object.hasOwn(INITIAL_TRAFFIC, name) && fits(name, value));
    const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32;
    const numbers = Array.isArray(limit) && limit.length === 2 && limit.every(isIndex);
    return {
      policy,
      traffic: { ...INITIAL_TRAFFIC, ...Object.fromEntries(kept) } as Traffic,
      limit: numbers ? limit : [0, 0],
      caller: isIndex(caller) ? caller : undefined,
    };
  } catch {
    return undefined;
  }
}
