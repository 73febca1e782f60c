// What the module's own code costs, without Envoy: the built module in Node's V8, with a host that does next to nothing.
//   node benches/guest/guest.mjs MODULE.wasm...      the modules take turns; the fastest of many batches counts
//   BENCH_COLD_KB=512                                they take turns request by request, and so much other code runs in between
// A shared machine can make a batch slower, but never faster, so the fastest repeats to a few percent where a median does not.
// In Envoy a request finds the processor's caches full of Envoy: so much other code, and what counts is how much code and memory
// a request touches. There the fastest tenth of all requests ends with the time that is told; and since luck decides where V8
// puts a module's code, the medians of several processes are, in which the modules stand in another order.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { others } from "./others.mjs";

const BATCH = 2_000;
const BATCHES = 150;
const COLD_REQUESTS = 2_500;
const COLD_PROCESSES = 8;
const COLD = Number(process.env.BENCH_COLD_KB ?? 0);
const forget = others(COLD);

const text = new TextEncoder();

/** One module, configured with a policy, and a host around it. */
class Gate {
  constructor(file, policy) {
    this.configuration = text.encode(JSON.stringify(policy));
    this.shared = new Map();
    this.cas = 0;
    this.now = 10n ** 15n;
    this.headers = new Map();
    this.refused = 0;
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), this.imports());
    this.exports = exports;
    exports._initialize?.();
    exports.proxy_on_context_create(1, 0);
    exports.proxy_on_vm_start?.(1, 0);
    if (exports.proxy_on_configure?.(1, this.configuration.length) === 0) throw new Error("the policy is refused");
    this.next = 2;
  }

  get memory() {
    // A memory that has grown is another buffer.
    if (this.view?.buffer !== this.exports.memory.buffer) {
      this.bytes = new Uint8Array(this.exports.memory.buffer);
      this.view = new DataView(this.exports.memory.buffer);
    }
    return this.view;
  }

  give(value, data, length) {
    const address = this.exports.malloc(value.length);
    this.memory;
    this.bytes.set(value, address);
    this.view.setUint32(data, address, true);
    this.view.setUint32(length, value.length, true);
    return 0;
  }

  /** All headers, as the ABI writes them. */
  pairs() {
    if (this.written) return this.written;
    const texts = [...this.headers].map(([name, value]) => [text.encode(name), value]);
    const bytes = new Uint8Array(4 + texts.flat().reduce((sum, one) => sum + 4 + one.length + 1, 0));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, texts.length, true);
    texts.flat().forEach((one, place) => view.setUint32(4 + 4 * place, one.length, true));
    let at = 4 + 8 * texts.length;
    for (const one of texts.flat()) {
      bytes.set(one, at);
      at += one.length + 1;
    }
    return (this.written = bytes);
  }

  key(address, length) {
    this.memory;
    let key = "";
    for (let i = 0; i < length; i++) key += String.fromCharCode(this.bytes[address + i]);
    return key;
  }

  imports() {
    const OK = 0, NOT_FOUND = 1, CAS_MISMATCH = 8;
    const env = {
      proxy_get_buffer_bytes: (_kind, _start, _max, data, length) => this.give(this.configuration, data, length),
      proxy_get_header_map_value: (_map, name, nameLength, data, length) => {
        const value = this.headers.get(this.key(name, nameLength));
        return value ? this.give(value, data, length) : NOT_FOUND;
      },
      proxy_get_header_map_pairs: (_map, data, length) => this.give(this.pairs(), data, length),
      proxy_get_property: (_path, _pathLength, data, length) => this.give(this.address, data, length),
      proxy_get_shared_data: (name, nameLength, data, length, cas) => {
        const entry = this.shared.get(this.key(name, nameLength));
        if (!entry) return NOT_FOUND;
        this.memory.setUint32(cas, entry.cas, true);
        return this.give(entry.value, data, length);
      },
      proxy_set_shared_data: (name, nameLength, data, length, cas) => {
        const key = this.key(name, nameLength);
        const entry = this.shared.get(key);
        if (entry && cas !== 0 && entry.cas !== cas) return CAS_MISMATCH;
        this.shared.set(key, { value: this.bytes.slice(data, data + length), cas: ++this.cas });
        return OK;
      },
      proxy_log: (level, message, length) => {
        if (level >= 4) console.error(this.key(message, length));
        return OK;
      },
      proxy_define_metric: (_kind, _name, _length, id) => (this.memory.setUint32(id, 1, true), OK),
      proxy_send_local_response: () => (this.refused++, OK),
    };
    const wasi = {
      clock_time_get: (_clock, _precision, time) => (this.memory.setBigUint64(time, this.now, true), OK),
      random_get: (data, length) => (this.memory, this.bytes.fill(7, data, data + length), OK),
    };
    const nothing = () => OK;
    const with_rest = (known) => new Proxy(known, { get: (object, name) => object[name] ?? nothing });
    return { env: with_rest(env), wasi_snapshot_preview1: with_rest(wasi) };
  }

  request() {
    const id = this.next++;
    const { exports } = this;
    this.now += 40_000n; // 25,000 requests a second
    exports.proxy_on_context_create(id, 1);
    exports.proxy_on_request_headers(id, 9, 1);
    exports.proxy_on_response_headers(id, 3, 0);
    exports.proxy_on_delete?.(id);
  }

  cold() {
    forget();
    const start = process.hrtime.bigint();
    this.request();
    return Number(process.hrtime.bigint() - start);
  }

  batch() {
    const start = process.hrtime.bigint();
    for (let i = 0; i < BATCH; i++) this.request();
    const time = Number(process.hrtime.bigint() - start) / BATCH;
    this.exports.proxy_on_tick?.(1);
    return time;
  }
}

const PLENTY = 1_000_000_000;
const keys = {
  client_ip: { client_ip: {} },
  api_key: { header: "authorization", scheme: "Bearer", prefix: 16 },
};
const policy = (name, key, quota, more) => ({ name, key, limits: [{ quota, window: "60s" }], ...more });
const headers = { preset: "x-ratelimit", describes: "key" };
const many = (number) => ({
  keys,
  policies: Array.from({ length: number }, (_, n) =>
    policy(`p${n + 1}`, "api_key", PLENTY, { match: [{ method: "GET", path: `/v1/service-${n + 1}/**` }] })),
  headers: { ...headers, describes: "most_constrained" },
});

const cases = {
  "two layers, leased": { keys, policies: [policy("ip", "client_ip", PLENTY), policy("key", "api_key", PLENTY)], headers, charge: "sequential" },
  "two layers, refused": { keys, policies: [policy("ip", "client_ip", 50), policy("key", "api_key", 300)], headers, charge: "sequential" },
  "two layers, another key each time": { keys, policies: [policy("ip", "client_ip", PLENTY), policy("key", "api_key", PLENTY)], headers, fresh: true },
  "1 policy": { ...many(1), path: "/v1/service-1/x" },
  "100 policies": { ...many(100), path: "/v1/service-100/x" },
  "3 headers of 20": {
    keys: { ...keys, a: { header: "x-0" } },
    policies: [policy("p", ["api_key", "a"], PLENTY, { match: [{ path: "/v1/**" }] })],
    headers: { ...headers, describes: "p" },
    path: "/v1/x",
    more: 16,
  },
  "6 headers of 20": {
    keys: { ...keys, ...Object.fromEntries([0, 1, 2, 3].map((n) => [`k${n}`, { header: `x-${n}` }])) },
    policies: [policy("p", ["api_key", "k0", "k1", "k2", "k3"], PLENTY, { match: [{ path: "/v1/**" }] })],
    headers: { ...headers, describes: "p" },
    path: "/v1/x",
    more: 16,
  },
  "a known consumer": {
    keys: { api_key: { header: "authorization", scheme: "Bearer" } },
    consumers: [{ name: "shop", keys: { api_key: ["sha256:0c24ce40313b1ce2b6daefa9dea10a4d3290af661123f6d499a3567b80d5ed49"] } }],
    tiers: { names: ["a", "b"], default: "a" },
    policies: [policy("key", "api_key", { a: PLENTY, b: PLENTY - 1 })],
    headers,
  },
};

/** Measures these modules in this process: a line for each case and module. */
function measure(modules) {
  const gates = [];
  for (const [name, { path = "/", fresh = false, more = 0, ...configuration }] of Object.entries(cases)) {
    for (const module of modules) {
      const gate = new Gate(module, configuration);
      gate.headers.set("authorization", text.encode("Bearer sk_test_acme"));
      gate.headers.set(":path", text.encode(path)).set(":method", text.encode("GET")).set(":authority", text.encode("bench"));
      for (let n = 0; n < more; n++) gate.headers.set(`x-${n}`, text.encode(`value ${n} of a request`));
      gate.address = text.encode("127.0.0.1:54321");
      gates.push({ name, module, gate, fresh, best: Infinity });
    }
  }
  let number = 0;
  for (const { gate } of gates.filter((one) => one.fresh)) {
    const request = Gate.prototype.request;
    gate.request = function () {
      number = (number * 1103515245 + 12345) & 0x7fffffff;
      this.headers.set("authorization", text.encode(`Bearer ${String(number % 5000).padStart(16, "0")}`));
      request.call(this);
    };
  }
  if (COLD) cold(gates);
  else {
    for (let batch = 0; batch < BATCHES; batch++) {
      for (const one of gates) one.best = Math.min(one.best, one.gate.batch());
    }
  }
  return gates.map(({ name, module, best, gate }) => ({ name, module, time: best, refused: gate.refused }));
}

function cold(gates) {
  for (const name of Object.keys(cases)) {
    const turns = gates.filter((one) => one.name === name).map((one) => ({ ...one, one, times: [] }));
    // V8 optimises what is hot here, too, before it counts.
    for (const { gate } of turns) gate.batch();
    for (let turn = 0; turn < COLD_REQUESTS; turn++) {
      for (const { gate, times } of turns) times.push(gate.cold());
    }
    for (const { one, times } of turns) one.best = times.sort((a, b) => a - b)[COLD_REQUESTS / 10];
  }
}

/** The same in several processes. */
function measure_in_processes(modules) {
  const runs = Array.from({ length: COLD_PROCESSES }, (_, run) => {
    const turned = modules.map((_, place) => modules[(place + run) % modules.length]);
    return JSON.parse(execFileSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), ONE, ...turned]));
  });
  return runs[0].map(({ name, module, refused }) => {
    const times = runs.flat().filter((one) => one.name === name && one.module === module).map((one) => one.time);
    return { name, module, refused, time: times.sort((a, b) => a - b)[COLD_PROCESSES / 2] };
  });
}

const ONE = "--one-process";
const [first, ...rest] = process.argv.slice(2);
if (first === ONE) {
  console.log(JSON.stringify(measure(rest)));
} else {
  const modules = [first, ...rest];
  const found = COLD ? measure_in_processes(modules) : measure(modules);
  for (const { name, time, refused, module } of found) {
    console.log(`${name.padEnd(34)} ${time.toFixed(0).padStart(6)} ns  refused ${refused}  ${module}`);
  }
}
