// The core, in a thread of its own: the page stays smooth while it computes.

import init, { Playground } from "../pkg/tollgate_playground.js";
import type { Answer, Question } from "./messages";

const ready = init();
let playground: Playground | undefined;

self.onmessage = async (event: MessageEvent<Question>) => {
  await ready;
  const question = event.data;
  try {
    self.postMessage({ id: question.id, ...answer(question) } satisfies Answer);
  } catch (error) {
    // The core does not fail; should it, the next question gets a new one.
    playground = undefined;
    self.postMessage({ id: question.id, failed: String(error) } satisfies Answer);
  }
};

function answer(question: Question): Omit<Answer, "id"> {
  playground ??= new Playground();
  switch (question.kind) {
    case "log":
      return { log: playground.setLog(question.bytes) };
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
