// Packs and unpacks bytes, up to a bound: what is small while it is packed may be huge.

/** Gathers the parts of what is unpacked. */
export class Unpacked {
  #parts: Uint8Array[] = [];
  #length = 0;

  constructor(private max: number) {}

  /** Fails if all parts have more than `max` bytes. */
  add(part: Uint8Array) {
    this.#length += part.length;
    if (this.#length > this.max) throw new Error(`it has more than ${this.max} bytes once it is unpacked`);
    this.#parts.push(part);
  }

  joined(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** What comes out of a stream. It fails if that is longer than `max` bytes. */
export async function through(
  bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream, max: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const unpacked = new Unpacked(max);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return unpacked.joined();
    try {
      unpacked.add(value);
    } catch (error) {
      reader.cancel().catch(() => {});
      throw error;
    }
  }
}
