import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { createFlatMatricesWriter, flattenMatrices, signalLength } from "./flat_matrices.ts";
import type { Matrices } from "../matrix/matrix.ts";
import { scaleOf } from "./log_scale.ts";

function randomMatrices(shapes: readonly (readonly [number, number])[], seed: number): Matrices {
  const random = createRandom(seed);
  return shapes.map(([rows, columns], i) => ({
    name: `m${i}`,
    rows,
    columns,
    data: Float32Array.from({ length: rows * columns }, () => random.normal() * 10 ** (i - 2)),
  }));
}

const shapes = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })), {
  maxLength: 6,
});

Deno.test("reading flat matrices block by block and cutting them again gives the matrices", () => {
  fc.assert(fc.property(shapes, fc.integer({ min: 1, max: 9 }), fc.nat(), (list, block, seed) => {
    const matrices = randomMatrices(list, seed);
    const flat = flattenMatrices(matrices);
    assert.equal(flat.length, signalLength(matrices));
    const writer = createFlatMatricesWriter(flat.scaleCodes, matrices);
    const values = new Float32Array(block);
    for (let start = 0; start < flat.length; start += block) {
      flat.read(start, values);
      writer.write(start, values);
    }
    const padding = values.length - (flat.length % block || block);
    assert.ok(flat.length === 0 || values.subarray(block - padding).every((value) => value === 0));
    writer.matrices.forEach((matrix, i) => {
      assert.equal(matrix.name, matrices[i]!.name);
      matrix.data.forEach((value, j) => {
        assert.ok(Math.abs(value - matrices[i]!.data[j]!) <= 2e-7 * Math.abs(value));
      });
    });
  }));
});

Deno.test("flat matrices have a root mean square near 1", () => {
  const [matrix] = randomMatrices([[30, 40]], 5);
  const flat = flattenMatrices([matrix!]);
  const values = new Float32Array(flat.length);
  flat.read(0, values);
  const meanSquare = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assert.ok(Math.abs(Math.log2(meanSquare)) <= 1 / 8 + 1e-6);
  assert.ok(Math.abs(scaleOf(flat.scaleCodes[0]!) / 0.01 - 1) < 0.1);
});

Deno.test("a zero matrix stays zero, and a value that is not finite is named", () => {
  const zero = { name: "zero", rows: 2, columns: 2, data: new Float32Array(4) };
  const flat = flattenMatrices([zero]);
  const values = new Float32Array(4).fill(9);
  flat.read(0, values);
  assert.deepEqual([...values], [0, 0, 0, 0]);
  const writer = createFlatMatricesWriter(flat.scaleCodes, [zero]);
  writer.write(0, Float32Array.of(1, 2, 3, 4));
  assert.deepEqual(writer.matrices[0]!.data, zero.data);
  const broken = { name: "h.0.weight", rows: 1, columns: 2, data: Float32Array.of(1, NaN) };
  assert.throws(() => flattenMatrices([broken]), { name: "InputError", message: /h\.0\.weight/ });
});
