import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { forEachDiagonal } from "../scan/pieces.ts";
import { codingTasks } from "../workers/coding_tasks.ts";
import { columnRange, isCheaplyCut } from "./column_range.ts";
import { heldMatrix, sendMatrix } from "./held_matrix.ts";
import type { Matrix } from "./matrix.ts";

const [ROWS, COLUMNS] = [9, 40];

function longMatrix(stored: Float32Array): Matrix {
  const random = createRandom(5);
  const some = (length: number) => Float64Array.from({ length }, () => 1 + random.normal() ** 2);
  const metric = {
    rowWeights: some(ROWS),
    columnWeights: some(COLUMNS),
    columnSteps: some(COLUMNS),
    feedback: Float32Array.from({ length: ROWS * (ROWS - 1) / 2 }, () => random.normal() / 5),
  };
  const factors = { rows: some(ROWS), columns: some(COLUMNS) };
  const rowColumnSteps = {
    rows: Int32Array.from({ length: ROWS }, (_, i) => i),
    columns: Int32Array.from({ length: COLUMNS }, (_, j) => 2 * j),
  };
  const shape = { name: "w", rows: ROWS, columns: COLUMNS, metric, rowColumnSteps };
  return heldMatrix(shape, { stored, transposed: true, factors });
}

const random = createRandom(6);
const data = Float32Array.from({ length: ROWS * COLUMNS }, () => 3 * random.normal());
const whole = longMatrix(data);

/** Indices without a trellis, row by row. */
function quantized(matrix: Matrix): number[][] {
  const { indices } = codingTasks.quantize({ states: 1, matrix: sendMatrix(matrix) });
  const rows = Array.from({ length: matrix.rows }, () => new Array<number>(matrix.columns));
  forEachDiagonal(matrix, ({ row, column, length, position }) => {
    for (let t = 0; t < length; t++) {
      rows[row + t]![column - t] = (indices as Int8Array)[position + t]!;
    }
    return 0;
  });
  return rows;
}

Deno.test("some columns have the values, the steps and the indices that they have in the whole", () => {
  const part = columnRange(whole, 12, 30);
  const expected = Array.from(
    { length: ROWS * 18 },
    (_, at) => whole.data[Math.floor(at / 18) * COLUMNS + 12 + at % 18]!,
  );
  assert.deepEqual([...part.data], expected);
  assert.deepEqual(
    [...part.rowColumnSteps!.columns],
    Array.from({ length: 18 }, (_, j) => 24 + 2 * j),
  );
  assert.equal(part.metric!.columnSteps![0], whole.metric!.columnSteps![12]);
  assert.deepEqual(quantized(part), quantized(whole).map((row) => row.slice(12, 30)));
});

Deno.test("views of shared memory are taken, and copies of other memory", () => {
  const shared = new Float32Array(new SharedArrayBuffer(4 * data.length));
  shared.set(data);
  const storedOf = (matrix: Matrix) => columnRange(matrix, 12, 30).held!.stored as Float32Array;
  assert.equal(storedOf(longMatrix(shared)).buffer, shared.buffer);
  assert.equal(storedOf(whole).buffer.byteLength, 4 * 18 * ROWS);
});

Deno.test("what passes errors on between columns, or stands otherwise in memory, is not cut", () => {
  assert.ok(isCheaplyCut(whole));
  const { metric, held } = whole;
  const block = {
    start: 0,
    size: COLUMNS,
    feedback: new Float32Array(COLUMNS * (COLUMNS - 1) / 2),
  };
  assert.ok(!isCheaplyCut({ metric: { ...metric!, columnBlocks: [block] }, held: held! }));
  assert.ok(!isCheaplyCut({ metric: metric!, held: { ...held!, transposed: false } }));
  assert.ok(!isCheaplyCut({ held: held! }));
  assert.ok(!isCheaplyCut({ metric: metric! }));
});
