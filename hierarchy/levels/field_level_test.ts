import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { createFieldLevel, decodeField } from "./field_level.ts";
import type { Matrices, Matrix } from "../matrix/matrix.ts";

const CONTEXT = { seed: 0 };

function matrix(rows: number, columns: number, value = 1): Matrix {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => value * Math.sin(i + 1));
  return { name: "w", rows, columns, data };
}

async function roundTrip(matrices: Matrices, step: number) {
  const { encoded, output } = await createFieldLevel({ step }).encode(matrices, CONTEXT);
  const quotients = output.map((matrix) => ({ ...matrix, data: matrix.data.slice() }));
  return { output: output, decoded: decodeField(encoded, quotients, matrices), encoded };
}

Deno.test("decodeField() undoes the division to float32 precision, with and without a metric", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
    fc.array(fc.double({ min: 1e-8, max: 1e8, noNaN: true }), { minLength: 24, maxLength: 24 }),
    fc.boolean(),
    async (rows, columns, step, positive, withMetric) => {
      const rowWeights = Float64Array.from(positive.slice(0, rows));
      const feedback = new Float32Array(rows * (rows - 1) / 2);
      const columnWeights = Float64Array.from(positive.slice(12, 12 + columns));
      const plain = matrix(rows, columns);
      const matrices = [
        withMetric ? { ...plain, metric: { rowWeights, columnWeights, feedback } } : plain,
      ];
      const { decoded } = await roundTrip(matrices, step);
      decoded[0]!.data.forEach((value, i) => {
        const expected = plain.data[i]!;
        assert.ok(Math.abs(value - expected) <= Math.abs(expected) * 3e-7);
      });
    },
  ));
});

Deno.test("without a metric all matrices get steps in proportion to their size", async () => {
  const { output: output } = await roundTrip([matrix(20, 20, 1e-3), matrix(20, 20, 1e3)], 0.1);
  for (const { data } of output) {
    const size = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    assert.ok(size > 9 && size < 11, `${size}`);
  }
});

Deno.test("with a metric every coefficient's error costs the same", async () => {
  const rowWeights = Float64Array.of(4, 0.25), feedback = Float32Array.of(0.5);
  const columnWeights = Float64Array.of(1, 8, 0.5);
  const matrices = [{ ...matrix(2, 3), metric: { rowWeights, columnWeights, feedback } }];
  const { output: output } = await roundTrip(matrices, 0.5);
  const { metric } = output[0]!;
  const cost = (i: number, j: number) => metric!.rowWeights[i]! * metric!.columnWeights[j]!;
  for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) assert.equal(cost(i, j), 0.5);
  // Feedback is between values as they were before: rows were divided by 0.5 / 4 and 0.5 / 0.25.
  assert.deepEqual([...metric!.rowSteps!], [1 / 8, 2]);
  assert.equal(metric!.feedback, feedback);
});

Deno.test("decodeField() refuses a level without its step or stream", async () => {
  const { encoded, output: output } = await roundTrip([matrix(3, 3)], 1);
  for (
    const broken of [
      { ...encoded, parameters: {} },
      { ...encoded, parameters: { step: -1 } },
      { ...encoded, streams: new Map() },
    ]
  ) {
    assert.throws(() => decodeField(broken, output, [matrix(3, 3)]), InputError);
  }
});
