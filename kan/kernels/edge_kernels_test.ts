import assert from "node:assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { createRandom } from "../numeric/random.ts";
import type { EdgeBatch, Floats } from "./edge_batch.ts";
import { edgeKernels, kernelMemoryBytes } from "./edge_kernels.ts";
import { edgeReference } from "./edge_reference.ts";

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 70 }),
  inputs: fc.integer({ min: 1, max: 5 }),
  outputs: fc.integer({ min: 1, max: 13 }),
  support: fc.integer({ min: 1, max: 6 }),
  more: fc.integer({ min: 0, max: 4 }),
  hasBase: fc.boolean(),
  hasEdges: fc.boolean(),
  hasSlopes: fc.boolean(),
  hasFactors: fc.boolean(),
  seed: fc.integer(),
});

function drawBatch(shape: typeof shapes extends fc.Arbitrary<infer S> ? S : never) {
  const { rows, inputs, outputs, support, more, hasBase, hasEdges, hasSlopes, hasFactors, seed } =
    shape;
  const random = createRandom(seed), size = support + more;
  const draw = (length: number) => Float64Array.from({ length }, () => random.normal());
  const points = rows * inputs;
  const batch: EdgeBatch<Float64Array> = {
    rows,
    inputs,
    outputs,
    size,
    support,
    first: Int32Array.from({ length: points }, () => random.integer(more + 1)),
    values: draw(points * support),
    slopes: draw(hasSlopes ? points * support : 0),
    bases: draw(hasBase ? points : 0),
    baseSlopes: draw(hasBase && hasSlopes ? points : 0),
    weights: draw(inputs * size * outputs),
    factors: draw(hasFactors ? inputs * outputs : 0),
    baseWeights: draw(hasBase ? inputs * outputs : 0),
  };
  return {
    batch,
    sumGradients: draw(rows * outputs),
    edgeGradients: draw(hasEdges ? points * outputs : 0),
  };
}

Deno.test("in float64 the kernels equal the reference bit for bit", () => {
  fc.assert(fc.property(shapes, (shape) => {
    const { batch, sumGradients, edgeGradients } = drawBatch(shape);
    assert.deepEqual(
      edgeKernels.forward(batch, shape.hasEdges),
      edgeReference.forward(batch, shape.hasEdges),
    );
    assert.deepEqual(
      edgeKernels.backward(batch, sumGradients, edgeGradients),
      edgeReference.backward(batch, sumGradients, edgeGradients),
    );
  }));
  assert.ok(kernelMemoryBytes() > 0, "the kernels do not run here");
});

Deno.test("in float32 the kernels are as near to float64 as rounding lets them", () => {
  fc.assert(fc.property(shapes, (shape) => {
    const { batch, sumGradients, edgeGradients } = drawBatch(shape);
    const single = {
      ...batch,
      weights: Float32Array.from(batch.weights),
      factors: Float32Array.from(batch.factors),
      baseWeights: Float32Array.from(batch.baseWeights),
    };
    const close = (actual: Floats, expected: Floats) =>
      expected.forEach((value, i) => assert.ok(Math.abs(actual[i]! - value) < 2e-4));
    const sums = edgeKernels.forward(single, true), exact = edgeReference.forward(batch, true);
    assert.ok(sums.sums instanceof Float32Array);
    close(sums.sums, exact.sums);
    close(sums.edges, exact.edges);
    const [upstream, edgesUpstream] = [sumGradients, edgeGradients].map((values) =>
      Float32Array.from(values)
    );
    const gradients = edgeKernels.backward(single, upstream!, edgesUpstream!);
    const expected = edgeReference.backward(batch, sumGradients, edgeGradients);
    for (const name of ["weights", "factors", "baseWeights", "inputs"] as const) {
      close(gradients[name], expected[name]);
    }
  }));
});

Deno.test("a batch too large for one call gives what its parts give", () => {
  const rows = 40_000, shape = { rows, inputs: 3, outputs: 9, support: 4, more: 1, seed: 1 };
  const { batch, sumGradients, edgeGradients } = drawBatch({
    ...shape,
    hasBase: true,
    hasEdges: true,
    hasSlopes: true,
    hasFactors: true,
  });
  const sums = edgeKernels.forward(batch, true), expected = edgeReference.forward(batch, true);
  assert.ok(Buffer.compare(bytes(sums.sums), bytes(expected.sums)) === 0);
  assert.ok(Buffer.compare(bytes(sums.edges), bytes(expected.edges)) === 0);
  const actual = edgeKernels.backward(batch, sumGradients, edgeGradients);
  const reference = edgeReference.backward(batch, sumGradients, edgeGradients);
  assert.deepEqual(actual.weights, reference.weights);
  assert.deepEqual(actual.factors, reference.factors);
  assert.deepEqual(actual.baseWeights, reference.baseWeights);
  assert.ok(Buffer.compare(bytes(actual.inputs), bytes(reference.inputs)) === 0);
});

function bytes(values: Floats): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
