// Packs the core more tightly than gzip does, since it is most of what the page weighs:  node pack.mjs core.wasm core.bin

import { readFileSync, writeFileSync } from "node:fs";
import zstd from "@bokuweb/zstd-wasm";

const [from, to] = process.argv.slice(2);
await zstd.init();
writeFileSync(to, zstd.compress(readFileSync(from), 22));
