// How numbers are written.

export function number(value: number): string {
  return value.toLocaleString("en");
}

export function seconds(ms: number): string {
  return `${number(Math.round(ms) / 1000)} s`;
}

/** `1 request`, `2 requests`. */
export function counted(value: number, one: string, several = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : several}`;
}
