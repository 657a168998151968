import assert from "node:assert";
import { greatest } from "../../data/extremes.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { deviceConfigs, llama } from "../testdata/device_configs.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { DeviceModel } from "./device_model.ts";
import { openDevice } from "./open_device.ts";

const tokens = Int32Array.from({ length: 900 }, (_, i) => (i * i * 7 + 11 * i) % 301);

async function openModel(config: ModelConfig, open = openDevice): Promise<DeviceModel> {
  const weights = randomStateDict(config, 1);
  const model = describeModel(config, weights.keys());
  const opened = await DeviceModel.open(model, prepareWeights(model, weights, false), open);
  assert.ok(opened !== undefined);
  return opened;
}

/** Logits after the last of some tokens, which are read in parts. */
async function read(model: DeviceModel, parts: readonly Int32Array[], sequences = 1) {
  const runner = model.startRunner();
  let logits = new Float32Array();
  for (const part of parts) logits = (await runner.run(part, sequences)).slice();
  assert.equal(runner.length, parts.reduce((sum, part) => sum + part.length / sequences, 0));
  runner.dispose();
  return logits;
}

function assertClose(found: Float32Array, expected: Float32Array): void {
  assert.equal(found.length, expected.length);
  const apart = greatest(found.map((value, i) => Math.abs(value - expected[i]!)));
  assert.ok(apart < 2e-5 * (1 + greatest(expected.map(Math.abs))), `${apart}`);
}

for (const [name, config] of Object.entries(deviceConfigs)) {
  Deno.test({
    name: `tokens read in parts on WebGPU give the logits of the whole: ${name}`,
    ...needsWebGpu,
    async fn() {
      const model = await openModel(config);
      const whole = await read(model, [tokens.subarray(0, 60)]);
      const [first, second] = [tokens.subarray(0, 41), tokens.subarray(41, 55)];
      const one = Array.from(tokens.subarray(55, 60), (token) => Int32Array.of(token));
      assertClose(await read(model, [first, second, ...one]), whole);
      assertClose(
        await read(model, Array.from(tokens.subarray(0, 60), (t) => Int32Array.of(t))),
        whole,
      );
      model.dispose();
    },
  });
}

Deno.test({
  name: "sequences beside each other give their own logits, while the cache grows",
  ...needsWebGpu,
  async fn() {
    const model = await openModel({ ...llama, max_position_embeddings: 1024 });
    for (const sequences of [3, 11]) {
      const texts = Array.from(
        { length: sequences },
        (_, i) => tokens.subarray(7 * i, 7 * i + 300),
      );
      const together = (start: number, end: number) =>
        Int32Array.from(texts.flatMap((text) => Array.from(text.subarray(start, end))));
      const parts = [together(0, 250), together(250, 251), together(251, 299), together(299, 300)];
      const found = await read(model, parts, sequences);
      for (const index of [0, 1, sequences - 1]) {
        assertClose(
          found.subarray(301 * index, 301 * (index + 1)),
          await read(model, [texts[index]!]),
        );
      }
    }
    model.dispose();
  },
});

Deno.test({
  name: "a step is one command buffer, and the logits alone come back",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const model = await openModel(llama, () => Promise.resolve(device));
    const runner = model.startRunner();
    await runner.run(tokens.subarray(0, 20), 1);
    const before = { ...device.counts };
    await runner.run(Int32Array.of(5), 1);
    assert.equal(device.counts.submissions - before.submissions, 2);
    assert.equal(device.counts.bytesRead - before.bytesRead, 4 * 304);
    assert.ok((device.counts.dispatches - before.dispatches - 2) / 2 <= 12);
    assert.ok(device.counts.bytesSent - before.bytesSent < 1000);
    await assert.rejects(runner.run(Int32Array.of(1, 2), 2), /1 sequences are being read, not 2/);
    runner.reset();
    const again = (await runner.run(tokens.subarray(0, 20), 1)).slice();
    assertClose(again, await read(model, [tokens.subarray(0, 20)]));
    runner.dispose();
    model.dispose();
  },
});
