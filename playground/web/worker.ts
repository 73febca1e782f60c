// The core, in a thread of its own: the page stays smooth while it computes.

import init, { Playground } from "../pkg/tollgate_playground.js";
import { MAX_LOG } from "./messages";
import type { Answer, Question } from "./messages";
import { through } from "./through";
import { isZstd, unzstd } from "./zstd";

/** `pack.mjs` has packed the core with zstd, which needs a sixth less than gzip. */
async function load() {
  const packed = await fetch(new URL("../pkg/core.bin", import.meta.url));
  await init({ module_or_path: unzstd(new Uint8Array(await packed.arrayBuffer()), MAX_CORE) });
}

const MAX_CORE = 16 << 20;
const ready = load();
let playground: Playground | undefined;

self.onmessage = async (event: MessageEvent<Question>) => {
  const question = event.data;
  try {
    await ready;
    self.postMessage({ id: question.id, ...(question.kind === "log" ? await log(question.bytes) : answer(question)) } satisfies Answer);
  } catch (error) {
    // The core does not fail; should it, the next question gets a new one.
    playground = undefined;
    self.postMessage({ id: question.id, failed: String(error) } satisfies Answer);
  }
};

async function log(bytes: Uint8Array<ArrayBuffer>): Promise<Omit<Answer, "id">> {
  let plain;
  try {
    plain = await unpacked(bytes);
  } catch (error) {
    return { log: ["error", `it cannot be unpacked: ${error instanceof Error ? error.message : error}`] };
  }
  playground ??= new Playground();
  return { log: playground.setLog(plain) };
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return through(bytes, new DecompressionStream("gzip"), MAX_LOG);
  return isZstd(bytes) ? unzstd(bytes, MAX_LOG) : bytes;
}

function answer(question: Exclude<Question, { kind: "log" }>): Omit<Answer, "id"> {
  playground ??= new Playground();
  switch (question.kind) {
    case "run": {
      const valid = playground.setPolicy(question.policy);
      const problem = question.traffic === undefined ? undefined : playground.setTraffic(question.traffic);
      const [policy, limit] = question.limit;
      const ran = valid && problem === undefined && playground.run(policy, limit);
      return {
        findings: playground.findings(),
        words: playground.words(),
        limits: playground.limits(),
        problem: problem ?? "",
        totals: ran ? playground.totals() : undefined,
        places: ran ? playground.places(0, playground.totals()[4] ?? 0, question.places, question.caller) : undefined,
        callers: ran ? playground.callers(question.caller) : undefined,
      };
    }
    case "places":
      return {
        places: playground.places(question.from, question.to, question.places, question.caller),
        callers: playground.callers(question.caller),
      };
    case "reply": {
      const { at, caller } = question;
      const arrival = at === "rejection" ? playground.firstRejection(caller) : playground.arrivalAt(at, caller);
      return { reply: arrival === undefined ? [] : playground.reply(arrival) };
    }
    case "compare": {
      const [policy, limit] = question.limit;
      const compared = playground.algorithms(policy, limit).map((algorithm): [string, Float64Array] =>
        [algorithm, playground!.compare(policy, limit, algorithm, question.places)]);
      return { compared };
    }
  }
}
