// Packs and unpacks bytes, up to a bound: what is small while it is packed may be huge.

/** What comes out of a stream. It fails if that is longer than `max` bytes. */
export async function through(
  bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream, max: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > max) {
      reader.cancel().catch(() => {});
      throw new Error(`it has more than ${max} bytes once it is unpacked`);
    }
    parts.push(value);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
