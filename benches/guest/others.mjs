// What else a processor does between two requests: code and memory of others, as much as its caches hold.

const FUNCTIONS = 256;
const MACHINE_CODE = 30; // bytes that a step is compiled to, roughly
const MEMORY = 64 * 1024; // of such a module, one page of WebAssembly
const LINE = 64;

const PARAMETER = 0, KEPT = 1; // locals
const I32 = 0x7f, NOTHING = 0x40;
const GET = 0x20, SET = 0x21, TEE = 0x22, LOAD = 0x28, CONST = 0x41, ADD = 0x6a, AND = 0x71, XOR = 0x73;
const IF = 0x04, END = 0x0b, CALL = 0x10, DROP = 0x1a;

/** LEB128: of a signed number if it is a constant's. */
function leb(number, signed = false) {
  const bytes = [];
  for (;;) {
    const byte = number & 0x7f;
    number = signed ? number >> 7 : number >>> 7;
    const last = signed ? (number === 0 && !(byte & 0x40)) || (number === -1 && byte & 0x40) : number === 0;
    bytes.push(last ? byte : byte | 0x80);
    if (last) return bytes;
  }
}

const constant = (number) => [CONST, ...leb(number, true)];
const sized = (bytes) => [...leb(bytes.length), ...bytes];
const section = (id, bytes) => [id, ...sized(bytes)];

/** So many steps, none like another: a read, and a branch that depends on it. */
function body(steps, seed) {
  const code = [1, 1, I32];
  for (let i = 0; i < steps; i++) {
    const address = (Math.imul(seed * steps + i, 2654435761) >>> 0) % (MEMORY - 4);
    code.push(GET, KEPT, ...constant(0), LOAD, 0, ...leb(address), XOR, TEE, KEPT);
    code.push(...constant(1 << i % 30), AND, IF, NOTHING, GET, KEPT, ...constant(i + 1), ADD, SET, KEPT, END);
  }
  return sized([...code, GET, KEPT, END]);
}

/** A function that runs so many kilobytes of machine code once. */
function code(kilobytes) {
  const steps = Math.ceil((kilobytes * 1024) / FUNCTIONS / MACHINE_CODE);
  const numbers = [...Array(FUNCTIONS).keys()];
  const all = sized([0, ...numbers.flatMap((number) => [...constant(number), CALL, ...leb(number), DROP]), ...constant(0), END]);
  const bytes = [
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [2, 0x60, 1, I32, 1, I32, 0x60, 0, 1, I32]),
    section(3, [...leb(FUNCTIONS + 1), ...numbers.map(() => 0), 1]),
    section(5, [1, 0, 1]),
    section(7, [1, 3, 0x61, 0x6c, 0x6c, 0, ...leb(FUNCTIONS)]),
    section(10, [...leb(FUNCTIONS + 1), ...numbers.flatMap((number) => body(steps, number)), ...all]),
  ];
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes.flat()))).exports.all;
}

/** A function that runs so much code, and reads half as much memory. */
export function others(kilobytes) {
  const run = code(kilobytes), memory = new Uint8Array(kilobytes * 512);
  let read = 0;
  return () => {
    read += run();
    for (let i = 0; i < memory.length; i += LINE) read += memory[i];
    return read;
  };
}
