import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import { lossGradient } from "../calibration/sampled_loss.ts";
import type { Device } from "./device.ts";
import { openDevice } from "./open_device.ts";
import { runSteps } from "./program.ts";
import { sampledLossSteps } from "./sampled_loss.ts";

/** Labels that the device draws, and those that WebAssembly's side draws, of the same logits. */
async function drawBoth(
  device: Device,
  logits: Float32Array,
  draws: Uint32Array,
): Promise<[found: number[], expected: number[]]> {
  const vocabularySize = logits.length / draws.length;
  const send = (data: Float32Array | Uint32Array) => {
    const buffer = device.allocate(data.byteLength);
    device.write(buffer, data);
    return buffer;
  };
  const labels = device.allocate(draws.byteLength);
  runSteps(
    device,
    sampledLossSteps(device, {
      logits: send(logits),
      rows: draws.length,
      vocabularySize,
      stride: vocabularySize,
      firstRow: 0,
      draws: send(draws),
      labels,
      energies: device.allocate(draws.byteLength),
      logitFisher: device.allocate(4 * vocabularySize),
    }),
  );
  const found = Array.from(new Uint32Array(await device.read(labels, draws.byteLength)));
  const fisher = new Float64Array(vocabularySize);
  const expected = Array.from(draws, (draw, row) => {
    const gradient = logits.slice(row * vocabularySize, (row + 1) * vocabularySize);
    lossGradient(gradient, fisher, { ...createRandom(0), uniform: () => draw / 2 ** 32 });
    // Only the label's is negative; -0 is where all the rest is impossible.
    return gradient.findIndex((value) => value < 0 || Object.is(value, -0));
  });
  return [found, expected];
}

Deno.test({
  name: "labels drawn from nearly even shares of a large vocabulary are WebAssembly's, every one",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const random = createRandom(3);
    for (const spread of [0.3, 1]) {
      const logits = Float32Array.from(
        { length: 192 * 49152 },
        () => spread * (2 * random.uniform() - 1),
      );
      const draws = Uint32Array.from({ length: 192 }, () => 2 ** 32 * random.uniform());
      const [found, expected] = await drawBoth(device, logits, draws);
      assert.deepEqual(found, expected);
    }
    device.close();
  },
});

Deno.test({
  name: "the least and greatest draws find the first and last labels that are possible",
  ...needsWebGpu,
  async fn() {
    const device = await openDevice();
    const row = Float32Array.from({ length: 700 }, (_, i) => i < 5 || i > 690 ? -1e4 : i % 3);
    const logits = Float32Array.of(...row, ...row, ...row);
    const draws = Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1);
    const [found, expected] = await drawBoth(device, logits, draws);
    assert.deepEqual(found, expected);
    assert.deepEqual([found[0], found[2]], [5, 690]);
    device.close();
  },
});
