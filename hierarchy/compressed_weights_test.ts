import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict } from "../data/tensor.ts";
import { createRandom } from "../kan/random.ts";
import { compressedWeights } from "./compressed_weights.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import type { CompressorOptions } from "./compressor_options.ts";
import { openContainer } from "./container.ts";
import { decodeContainer } from "./decompress.ts";

function randomWeights(): StateDict {
  const random = createRandom(1);
  const tensor = (...shape: number[]) => ({
    dtype: "F32" as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
  });
  const embedding = tensor(1000, 300);
  return new Map([
    ["embedding", embedding],
    ["norm", tensor(300)],
    ["small", tensor(24, 40)],
    ["large", tensor(700, 800)],
    ["last", tensor(40, 24)],
    ["head", embedding],
  ]);
}

async function compressed(options: CompressorOptions) {
  const { bytes } = await new HierarchicalCompressor(options).compress(randomWeights());
  return await openContainer(memorySource(bytes, "model"));
}

Deno.test("tensors read one by one are those decoded all at once", async () => {
  const container = await compressed({ preset: "rate", bits: 3 });
  const all = decodeContainer(container);
  const source = compressedWeights(container);
  assert.deepEqual(source.tensors.map(({ name }) => name), [...all.keys()]);
  for (const { name, dtype, shape } of source.tensors) {
    assert.deepEqual(await source.read(name), all.get(name), name);
    assert.deepEqual([dtype, shape], [all.get(name)!.dtype, all.get(name)!.shape]);
  }
  await assert.rejects(source.read("other"), /tensor other is not in the compressed model/);
});

Deno.test("levels that code tensors together are refused", async () => {
  const options = { numLevels: 1, hiddenDims: [4], trainingSteps: 2 } as const;
  const container = await compressed({ preset: "seed", ...options });
  assert.throws(() => compressedWeights(container), /level autoencoder codes all tensors together/);
});
