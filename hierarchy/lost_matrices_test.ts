import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import type { WeightTensor } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { decodeContainer } from "./decode_container.ts";
import { openContainer } from "./file/container.ts";
import type { TensorMetric } from "./metric/tensor_metric.ts";

const random = createRandom(1);

function matrixOf(size: number, value: (row: number, column: number) => number): WeightTensor {
  const data = Float32Array.from(
    { length: size * size },
    (_, i) => value(Math.floor(i / size), i % size),
  );
  return { dtype: "F32", shape: [size, size], data };
}

function relativeError(original: WeightTensor, decoded: WeightTensor): number {
  let error = 0, energy = 0;
  original.data.forEach((value, i) => {
    error += (value - decoded.data[i]!) ** 2;
    energy += value ** 2;
  });
  return error / energy;
}

const normal = matrixOf(64, () => random.normal());

Deno.test("matrices of few values, or of extreme ones, are coded as well as any other", async () => {
  const cases: Record<string, WeightTensor> = {
    identity: matrixOf(64, (i, j) => i === j ? 1 : 0),
    "one row of ones": matrixOf(64, (i) => i === 5 ? 1 : 0),
    "one value": matrixOf(64, (i, j) => i === 5 && j === 7 ? 3 : 0),
    "99.99 % zeros": matrixOf(256, (i, j) => (256 * i + j) % 9973 === 0 ? random.normal() : 0),
    "one value far from the others": matrixOf(64, (i) => i === 0 ? 1e10 : 1e-10),
    subnormal: matrixOf(64, () => 1e-43 * random.normal()),
    large: matrixOf(64, () => 1e37 * random.normal()),
  };
  for (const [name, matrix] of Object.entries(cases)) {
    const weights = new Map([["w", matrix], ["other", normal]]);
    const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
    const container = await openContainer(memorySource(bytes, name));
    assert.ok(container.tensors.every(({ stored }) => stored === undefined), name);
    const decoded = await decodeContainer(container);
    for (const [tensor, original] of weights) {
      const error = relativeError(original, decoded.get(tensor)!);
      assert.ok(error < 0.002, `${tensor} beside ${name}: ${error}`);
    }
  }
});

Deno.test("a matrix that the levels lose is kept as it is, and losing all is an error", async () => {
  const metric = (scale: number): TensorMetric => {
    const hessian = new Float64Array(64 * 64);
    for (let i = 0; i < 64; i++) hessian[65 * i] = scale;
    return { inputAxis: 1, hessian };
  };
  const lost = matrixOf(64, () => random.normal());
  const weights = new Map([["lost", lost], ["coded", normal]]);
  const compressor = new HierarchicalCompressor({ bits: 20 });
  // So large a weight asks for a smaller step than fields can have.
  const metrics = new Map([["lost", metric(1e120)]]);
  const { bytes } = await compressor.compress(weights, { metrics });
  const container = await openContainer(memorySource(bytes, "lost"));
  assert.deepEqual(container.tensors.map(({ name, stored }) => [name, stored]), [
    ["lost", "F32"],
    ["coded", undefined],
  ]);
  const decoded = await decodeContainer(container);
  assert.deepEqual(decoded.get("lost")!.data, lost.data);
  assert.ok(relativeError(normal, decoded.get("coded")!) < 0.01);
  const all = new Map([["lost", metric(1e120)], ["coded", metric(1e120)]]);
  await assert.rejects(
    compressor.compress(weights, { metrics: all }),
    /^InputError: tensor "lost": the levels lose it and every other matrix/,
  );
});

Deno.test("the lowest rates may code a matrix as zeros", async () => {
  const weights = new Map([["w", normal], ["large", matrixOf(256, () => random.normal())]]);
  const { bytes } = await new HierarchicalCompressor({ bits: 0.3 }).compress(weights);
  assert.ok((await openContainer(memorySource(bytes, "low"))).tensors.every((t) => !t.stored));
});
