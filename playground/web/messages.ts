// What the page and its worker say to each other.

/** The longest log that is read, in bytes, unpacked. A longer one is for `tollgate replay`. */
export const MAX_LOG = 256 << 20;

export type Question = { id: number } & (
  | { kind: "log"; bytes: Uint8Array<ArrayBuffer> }
  /** `traffic`: its description; `undefined`: the log that was read. */
  | { kind: "run"; policy: string; traffic: string | undefined; limit: [number, number]; places: number; caller: Caller }
  | { kind: "places"; from: number; to: number; places: number; caller: Caller }
  /** `at`: in ms. `"rejection"`: the first one. */
  | { kind: "reply"; at: number | "rejection"; caller: Caller }
  | { kind: "compare"; limit: [number, number]; places: number }
);

/** The number of one of the caller's requests in the traffic; nothing stands for all callers. */
export type Caller = number | undefined;

export interface Answer {
  id: number;
  failed?: string;
  /** `ok` or `error`, and words. */
  log?: string[];
  findings?: string[];
  words?: string;
  limits?: string[];
  problem?: string;
  /** Admitted, rejected, quota, window in ms, length in ms. */
  totals?: Float64Array;
  places?: Float64Array;
  callers?: string[];
  /** Status, headers, body, why; number of the request, address, instant in ms. Empty: there is none. */
  reply?: string[];
  compared?: [string, Float64Array][];
}

/** What `Playground::places` answers, taken apart. */
export interface Places {
  admitted: Float64Array;
  rejected: Float64Array;
  trailing: Float64Array;
  worst: { units: number; at: number; number: number };
}

export function apart(numbers: Float64Array, count: number): Places {
  const [units = 0, at = 0, number = 0] = numbers.subarray(3 * count);
  return {
    admitted: numbers.subarray(0, count),
    rejected: numbers.subarray(count, 2 * count),
    trailing: numbers.subarray(2 * count, 3 * count),
    worst: { units, at, number },
  };
}

/** A caller of the watched policy. */
export interface Listed {
  /** The number of one of its requests. */
  request: number;
  name: string;
  admitted: number;
  rejected: number;
  quota: number;
}

/** What `Playground::callers` answers, taken apart. */
export function listed(texts: string[]): { listed: Listed[]; count: number; chosen: Listed | undefined } {
  const all: Listed[] = [];
  for (let at = 0; at + 6 < texts.length; at += 5) {
    const [request, admitted, rejected, quota] = [0, 2, 3, 4].map((field) => Number(texts[at + field])) as
      [number, number, number, number];
    all.push({ request, name: texts[at + 1]!, admitted, rejected, quota });
  }
  const [count = 0, chosen = -1] = texts.slice(-2).map(Number);
  return { listed: all, count, chosen: all[chosen] };
}
