import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { codedWeights } from "./coded_weights.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import type { CompressorOptions } from "./compressor_options.ts";
import { decodeContainer } from "./decode_container.ts";
import { openContainer } from "./file/container.ts";

function randomWeights(): StateDict {
  const random = createRandom(2);
  const tensor = (...shape: number[]) => ({
    dtype: "F32" as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
  });
  const embedding = tensor(90, 30);
  return new Map([
    ["embedding", embedding],
    ["norm", tensor(30)],
    ["matrix", tensor(24, 40)],
    ["cube", tensor(6, 5, 4)],
    ["head", embedding],
  ]);
}

const hessian = (size: number) =>
  Float64Array.from({ length: size * size }, (_, i) => i % (size + 1) === 0 ? 1 + i % 7 : 0.1);

async function compressed(options: CompressorOptions) {
  const metrics = new Map([["embedding", { inputAxis: 1 as const, hessian: hessian(30) }]]);
  const { bytes } = await new HierarchicalCompressor(options).compress(randomWeights(), {
    metrics,
  });
  return await openContainer(memorySource(bytes, "model"));
}

for (const states of [1, 8] as const) {
  Deno.test(`${states} states: products of integers and factors are the decoded values, bit for bit`, async () => {
    const container = await compressed({ preset: "rate", bits: 8, states });
    const all = await decodeContainer(container);
    const coded = codedWeights(container)!;
    assert.deepEqual([...coded.names].sort(), ["cube", "embedding", "head", "matrix"]);
    // With a metric it is coded transposed.
    assert.ok(container.tensors.find(({ name }) => name === "embedding")!.transposed);
    for (const name of coded.names) {
      const { integers: { data, rows, columns }, factors } = await coded.read(name);
      const { shape, data: expected } = all.get(name)!;
      assert.deepEqual([rows, rows * columns], [shape[0], expected.length]);
      data.forEach((value, at) => {
        assert.ok(Number.isInteger(value));
        const row = Math.floor(at / columns);
        const factor = factors.rows[row]! * factors.columns[at - row * columns]!;
        assert.equal(Math.fround(value * factor), expected[at], `${name} at ${at}`);
      });
    }
  });
}

Deno.test("files of another form have no integers", async () => {
  assert.equal(codedWeights(await compressed({ preset: "hybrid", bits: 12 })), undefined);
});
