import assert from "node:assert";
import { availableBackend } from "./available_backend.ts";

Deno.test("without a WebGPU adapter it is WebAssembly, with a message", async () => {
  const lines: string[] = [];
  const run = { writeLine: (line: string) => void lines.push(line) };
  const without = { requestAdapter: () => Promise.resolve(null) };
  const cpu = { backend: "cpu", seed: 3 } as const;
  assert.equal(await availableBackend(cpu, run, without), cpu);
  assert.deepEqual(lines, []);
  const webgpu = { backend: "webgpu", seed: 3 } as const;
  assert.deepEqual(await availableBackend(webgpu, run, without), { backend: "wasm", seed: 3 });
  assert.match(lines.join(), /no WebGPU adapter .* wasm/);
});
