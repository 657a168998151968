import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { createFlatSignalWriter, flattenSignal, signalLength } from "./flat_matrices.ts";
import type { Signal } from "../matrix/matrix.ts";
import { scaleOf } from "./log_scale.ts";

function randomSignal(shapes: readonly (readonly [number, number])[], seed: number): Signal {
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

Deno.test("reading a flat signal block by block and cutting it again gives the signal", () => {
  fc.assert(fc.property(shapes, fc.integer({ min: 1, max: 9 }), fc.nat(), (list, block, seed) => {
    const signal = randomSignal(list, seed);
    const flat = flattenSignal(signal);
    assert.equal(flat.length, signalLength(signal));
    const writer = createFlatSignalWriter(flat.scaleCodes, signal);
    const values = new Float32Array(block);
    for (let start = 0; start < flat.length; start += block) {
      flat.read(start, values);
      writer.write(start, values);
    }
    const padding = values.length - (flat.length % block || block);
    assert.ok(flat.length === 0 || values.subarray(block - padding).every((value) => value === 0));
    writer.signal.forEach((matrix, i) => {
      assert.equal(matrix.name, signal[i]!.name);
      matrix.data.forEach((value, j) => {
        assert.ok(Math.abs(value - signal[i]!.data[j]!) <= 2e-7 * Math.abs(value));
      });
    });
  }));
});

Deno.test("a flat signal's matrices have a root mean square near 1", () => {
  const [matrix] = randomSignal([[30, 40]], 5);
  const flat = flattenSignal([matrix!]);
  const values = new Float32Array(flat.length);
  flat.read(0, values);
  const meanSquare = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assert.ok(Math.abs(Math.log2(meanSquare)) <= 1 / 8 + 1e-6);
  assert.ok(Math.abs(scaleOf(flat.scaleCodes[0]!) / 0.01 - 1) < 0.1);
});

Deno.test("a zero matrix stays zero, and a value that is not finite is named", () => {
  const zero = { name: "zero", rows: 2, columns: 2, data: new Float32Array(4) };
  const flat = flattenSignal([zero]);
  const values = new Float32Array(4).fill(9);
  flat.read(0, values);
  assert.deepEqual([...values], [0, 0, 0, 0]);
  const writer = createFlatSignalWriter(flat.scaleCodes, [zero]);
  writer.write(0, Float32Array.of(1, 2, 3, 4));
  assert.deepEqual(writer.signal[0]!.data, zero.data);
  const broken = { name: "h.0.weight", rows: 1, columns: 2, data: Float32Array.of(1, NaN) };
  assert.throws(() => flattenSignal([broken]), { name: "InputError", message: /h\.0\.weight/ });
});
