// Traffic drawn by hand: a row of bars that the pointer or the arrow keys change.

const MAX = 20;

export class Drawing {
  #place = 0;

  constructor(private canvas: HTMLCanvasElement, private counts: number[], private changed: (counts: number[]) => void) {
    const set = (event: PointerEvent) => {
      const box = canvas.getBoundingClientRect();
      const place = Math.floor(((event.clientX - box.left) / box.width) * this.counts.length);
      const count = Math.round((1 - (event.clientY - box.top) / box.height) * MAX);
      this.#set(place, count);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      set(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) set(event);
    });
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#place = Math.min(Math.max(this.#place + step[0]!, 0), this.counts.length - 1);
      this.#set(this.#place, (this.counts[this.#place] ?? 0) + step[1]!);
    });
    new ResizeObserver(() => this.show(this.counts)).observe(canvas);
  }

  show(counts: number[]) {
    this.counts = counts;
    const { canvas } = this;
    canvas.width = canvas.clientWidth;
    const context = canvas.getContext("2d");
    if (!context || !canvas.width) return;
    const style = getComputedStyle(document.documentElement);
    const width = canvas.width / counts.length;
    context.clearRect(0, 0, canvas.width, canvas.height);
    counts.forEach((count, place) => {
      context.fillStyle = style.getPropertyValue(place === this.#place ? "--accent" : "--good");
      const height = (count / MAX) * canvas.height;
      context.fillRect(place * width, canvas.height - Math.max(height, 1), Math.max(width - 1, 1), Math.max(height, 1));
    });
  }

  #set(place: number, count: number) {
    if (place < 0 || place >= this.counts.length) return;
    this.#place = place;
    this.counts = this.counts.with(place, Math.min(Math.max(count, 0), MAX));
    this.show(this.counts);
    this.changed(this.counts);
  }
}
