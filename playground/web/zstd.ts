// Unpacks zstd (RFC 8878), which browsers do not do themselves. Each frame is looked at before it is unpacked, since
// the library would reserve whatever a frame asks for.

import { Decompress } from "fzstd";
import { Unpacked } from "./through";

const MAGIC = 0xfd2fb528;
/** Frames that hold no data have 16 magic numbers. */
const SKIPPABLE = 0x184d2a50;

/** The largest window that every decoder should support. The library moves a whole window for each block. */
const MAX_WINDOW = 8 << 20;

export function isZstd(bytes: Uint8Array): boolean {
  if (bytes.length < 4) return false;
  const magic = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return magic === MAGIC || isSkippable(magic);
}

interface Frame {
  end: number;
  hasData: boolean;
}

const isSkippable = (magic: number) => (magic & ~0xf) >>> 0 === SKIPPABLE;

/** What the frames contain. It fails if that is longer than `max` bytes, or if a frame is broken. */
export function unzstd(bytes: Uint8Array, max: number): Uint8Array<ArrayBuffer> {
  const unpacked = new Unpacked(max);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const { end, hasData } = frame(view, at);
    if (hasData) new Decompress((part) => unpacked.add(part)).push(bytes.subarray(at, end), true);
    at = end;
  }
  return unpacked.joined();
}

/** Where the frame that starts at `at` ends. */
function frame(view: DataView, at: number): Frame {
  try {
    return walk(view, at);
  } catch (error) {
    // Something was read beyond the bytes.
    throw error instanceof RangeError ? new Error("it ends within a frame") : error;
  }
}

function walk(view: DataView, at: number): Frame {
  const magic = view.getUint32(at, true);
  if (isSkippable(magic)) return { end: within(view, at + 8 + view.getUint32(at + 4, true)), hasData: false };
  if (magic !== MAGIC) throw new Error(`byte ${at} begins no frame of zstd`);
  const { blocks, hasChecksum } = header(view, at + 4);
  let end = blocks;
  for (let isLast = false; !isLast;) {
    const block = view.getUint16(end, true) | (view.getUint8(end + 2) << 16);
    isLast = (block & 1) === 1;
    const isRepeated = ((block >> 1) & 3) === 1;
    end += 3 + (isRepeated ? 1 : block >> 3);
  }
  return { end: within(view, end + (hasChecksum ? 4 : 0)), hasData: true };
}

/** The header of a frame: where its blocks begin, and whether a checksum follows them. */
function header(view: DataView, at: number): { blocks: number; hasChecksum: boolean } {
  const flags = view.getUint8(at);
  const isSingle = (flags & 0x20) !== 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
  if ((flags & 3) !== 0) throw new Error("it needs a dictionary");
  const size = at + (isSingle ? 1 : 2);
  const window = isSingle ? contentSize(view, size, sizeBytes) : windowSize(view.getUint8(at + 1));
  if (window > MAX_WINDOW) {
    throw new Error(`its window of ${Math.ceil(window / (1 << 20))} MiB is larger than ${MAX_WINDOW >> 20}: unpack it before`);
  }
  return { blocks: size + sizeBytes, hasChecksum: (flags & 4) !== 0 };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(view: DataView, at: number, bytes: number): number {
  switch (bytes) {
    case 1: return view.getUint8(at);
    case 2: return view.getUint16(at, true) + 256;
    case 4: return view.getUint32(at, true);
    default: return Number(view.getBigUint64(at, true));
  }
}

function within(view: DataView, end: number): number {
  if (end > view.byteLength) throw new Error("it ends within a frame");
  return end;
}
