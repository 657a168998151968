import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import { codedWeights } from "../../hierarchy/coded_weights.ts";
import { HierarchicalCompressor } from "../../hierarchy/compressor.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { gpt2, llama } from "../testdata/device_configs.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { WasmModel } from "../wasm/wasm_model.ts";
import { CodedDeviceModel } from "./coded_device_model.ts";

/** A compressed model on the device and in WebAssembly, as whole numbers where that is smaller. */
async function bothModels(config: ModelConfig, bits: number) {
  const { bytes } = await new HierarchicalCompressor({ bits, preset: "rate" })
    .compress(randomStateDict(config, 3));
  const container = await openContainer(memorySource(bytes, "model"));
  const weights = await decodeContainer(container);
  const coded = codedWeights(container)!;
  const description = describeModel(config, weights.keys());
  const device = (await CodedDeviceModel.create(description))!;
  const wasm = WasmModel.create(description)!;
  let count = 0;
  for (const name of device.missing) {
    const matrix = coded.names.has(name) ? await coded.read(name) : undefined;
    if (matrix === undefined || !device.putCoded(name, matrix)) {
      device.put(name, weights.get(name)!);
    } else count++;
    if (matrix === undefined || !wasm.putCoded(name, matrix)) wasm.put(name, weights.get(name)!);
  }
  return { device, wasm, count };
}

const configs = { llama, "llama with a tied head": { ...llama, tie_word_embeddings: true }, gpt2 };
for (const [name, config] of Object.entries(configs)) {
  // A plane of bytes, two of them, and more than two hold.
  for (const bits of [3, 9, 11]) {
    Deno.test({
      name: `logits from integers on WebGPU are those in WebAssembly: ${name}, ${bits} bits`,
      ...needsWebGpu,
      async fn() {
        const { device, wasm, count } = await bothModels(config, bits);
        assert.ok(count > 4, `${count}`);
        const one = await device.startRunner();
        const two = await wasm.startRunner({ threads: 1 });
        // Many rows at once, then few.
        for (const length of [20, 1, 3, 1]) {
          const ids = Int32Array.from({ length: 2 * length }, (_, i) => 7 * i * i % 30);
          const found = await one.run(ids, 2);
          const expected = await two.run(ids, 2);
          const most = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          found.forEach((value, i) =>
            assert.ok(Math.abs(value - expected[i]!) < 2e-5 * most, `${value} ${expected[i]}`)
          );
        }
        [one, two].forEach((runner) => runner.dispose());
        device.dispose();
      },
    });
  }
}

Deno.test({
  name: "weights take about a byte each on the device",
  ...needsWebGpu,
  async fn() {
    const wide = {
      ...llama,
      hidden_size: 240,
      intermediate_size: 480,
      vocab_size: 2048,
      tie_word_embeddings: true,
    };
    const { device } = await bothModels(wide, 4);
    const parameters = Array.from(randomStateDict(wide, 3).values(), ({ data }) => data.length)
      .reduce((sum, n) => sum + n, 0);
    assert.equal(device.bytes, 0);
    await device.send();
    const share = device.bytes / parameters;
    assert.ok(share > 0.9 && share <= 1.15, `${share}`);
    device.dispose();
  },
});
