// The page's side of the worker: of several questions of a kind only the newest is asked.

import type { Answer, Question } from "./messages";

type Asked = Question extends infer Q ? (Q extends Question ? Omit<Q, "id"> : never) : never;

export class Core {
  #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  #next = 0;
  #busy = false;
  #waiting = new Map<string, { asked: Asked; done: (answer: Answer | undefined) => void }>();
  #done: (answer: Answer | undefined) => void = () => {};
  #since = 0;

  constructor(progress: HTMLElement) {
    this.#worker.onmessage = (event: MessageEvent<Answer>) => {
      this.#busy = false;
      this.#done(event.data);
      this.#send();
    };
    setInterval(() => {
      document.body.dataset["busy"] = this.#busy || this.#waiting.size > 0 ? "yes" : "no";
      progress.hidden = !this.#busy || performance.now() - this.#since < 200;
    }, 100);
  }

  /** The answer, or `undefined` if a newer question of the same kind took its place. */
  ask(asked: Asked): Promise<Answer | undefined> {
    return new Promise((done) => {
      this.#waiting.get(asked.kind)?.done(undefined);
      this.#waiting.set(asked.kind, { asked, done });
      this.#send();
    });
  }

  #send() {
    if (this.#busy) return;
    // What others are about comes first.
    const kind = ["log", "run"].find((kind) => this.#waiting.has(kind)) ?? this.#waiting.keys().next().value;
    if (kind === undefined) return;
    const { asked, done } = this.#waiting.get(kind)!;
    this.#waiting.delete(kind);
    this.#busy = true;
    this.#since = performance.now();
    this.#done = done;
    const moved = asked.kind === "log" ? [asked.bytes.buffer] : [];
    this.#worker.postMessage({ ...asked, id: this.#next++ } as Question, moved);
  }
}
