// What the page and its worker say to each other.

/** The longest log that is read, in bytes, unpacked. A longer one is for `tollgate replay`. */
export const MAX_LOG = 256 << 20;

export type Question = { id: number } & (
  | { kind: "log"; bytes: Uint8Array<ArrayBuffer> }
  /** `traffic`: its description; `undefined`: the log that was read. */
  | { kind: "run"; policy: string; traffic: string | undefined; limit: [number, number]; places: number }
  | { kind: "places"; from: number; to: number; places: number }
  | { kind: "reply"; at: number; number?: number }
  | { kind: "compare"; limit: [number, number]; places: number }
);

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
