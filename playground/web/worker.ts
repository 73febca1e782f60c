// The core, in a thread of its own: the page stays smooth while it computes.

import init, { Playground } from "../pkg/tollgate_playground.js";
import { MAX_LOG } from "./messages";
import type { Answer, Question } from "./messages";
import { through } from "./through";

const ready = init();
let playground: Playground | undefined;

self.onmessage = async (event: MessageEvent<Question>) => {
  await ready;
  const question = event.data;
  try {
    self.postMessage({ id: question.id, ...(question.kind === "log" ? await log(question.bytes) : answer(question)) } satisfies Answer);
  } catch (error) {
    // The core does not fail; should it, the next question gets a new one.
    playground = undefined;
    self.postMessage({ id: question.id, failed: String(error) } satisfies Answer);
  }
};

async function log(bytes: Uint8Array<ArrayBuffer>): Promise<Omit<Answer, "id">> {
  let plain = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      plain = await through(bytes, new DecompressionStream("gzip"), MAX_LOG);
    } catch (error) {
      return { log: ["error", `it cannot be unpacked: ${error instanceof Error ? error.message : error}`] };
    }
  }
  playground ??= new Playground();
  return { log: playground.setLog(plain) };
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
        places: ran ? playground.places(0, playground.totals()[4] ?? 0, question.places) : undefined,
      };
    }
    case "places":
      return { places: playground.places(question.from, question.to, question.places) };
    case "reply": {
      const number = question.number ?? playground.requestAt(question.at);
      return { reply: playground.reply(number) };
    }
    case "compare": {
      const [policy, limit] = question.limit;
      const compared = playground.algorithms(policy, limit).map((algorithm): [string, Float64Array] =>
        [algorithm, playground!.compare(policy, limit, algorithm, question.places)]);
      return { compared };
    }
  }
}
