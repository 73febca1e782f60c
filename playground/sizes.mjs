// What the built page weighs, as a file server sends it in gzip:  node sizes.mjs

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

/** The most that all files may have together, in KB of 1,000 bytes. `tools/playground-build` says which core is large. */
export const MAX_KB = existsSync(resolve(import.meta.dirname, "pkg/is-large")) ? 540 : 490;

const dist = resolve(import.meta.dirname, "dist");

/** Each file of the page, and its bytes in gzip. The largest comes first. */
export function sizes() {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const size = (path) => gzipSync(readFileSync(path), { level: 9 }).length;
  const all = files.map(({ parentPath, name }) => [name, size(join(parentPath, name))]);
  return all.sort(([, one], [, other]) => other - one);
}

export const total = () => sizes().reduce((sum, [, bytes]) => sum + bytes, 0);

if (process.argv[1] === import.meta.filename) {
  const line = (bytes, name) => console.log(`${(bytes / 1000).toFixed(1).padStart(7)} KB  ${name}`);
  for (const [name, bytes] of sizes()) line(bytes, name);
  line(total(), `in gzip; allowed: ${MAX_KB} KB`);
}
