import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import { pickRows } from "../data/read_rows.ts";
import type { StateDict } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { containerWeights } from "./container_weights.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import type { CompressorOptions } from "./compressor_options.ts";
import { openContainer } from "./file/container.ts";
import { decodeContainer } from "./decode_container.ts";

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
  const all = await decodeContainer(container);
  const source = containerWeights(container);
  assert.deepEqual(source.tensors.map(({ name }) => name), [...all.keys()]);
  for (const { name, dtype, shape } of source.tensors) {
    assert.deepEqual(await source.read(name), all.get(name), name);
    assert.deepEqual([dtype, shape], [all.get(name)!.dtype, all.get(name)!.shape]);
  }
  await assert.rejects(
    source.read("other"),
    /model: tensor "other" is not in the compressed model/,
  );
});

Deno.test("rows read alone are those of the whole tensor, coded as stored or transposed", async () => {
  const random = createRandom(5);
  const hessian = (size: number) =>
    Float64Array.from({ length: size * size }, (_, i) => i % (size + 1) === 0 ? 1 : 0.1);
  // With a metric the embedding is coded by inputs: all tokens' first feature, and so on.
  const metrics = new Map([["embedding", { inputAxis: 1 as const, hessian: hessian(300) }]]);
  const { bytes } = await new HierarchicalCompressor({ bits: 3 })
    .compress(randomWeights(), { metrics });
  const source = containerWeights(await openContainer(memorySource(bytes, "model")));
  for (const name of ["embedding", "head", "large", "small", "norm"]) {
    const whole = await source.read(name);
    const picked = Array.from({ length: whole.shape[0]! }, (_, row) => row)
      .filter(() => random.uniform() < 0.1);
    for (const rows of [[], [0], [whole.shape[0]! - 1], picked]) {
      const numbers = Int32Array.from(rows);
      assert.deepEqual(await source.readRows!(name, numbers), pickRows(whole, numbers), name);
    }
  }
});

Deno.test("levels that code tensors together are refused", async () => {
  const options = { numLevels: 1, hiddenDims: [4], trainingSteps: 2 } as const;
  const container = await compressed({ preset: "seed", ...options });
  assert.throws(() => containerWeights(container), /level autoencoder codes all tensors together/);
});
