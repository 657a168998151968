import assert from "node:assert";
import { heldMatrix } from "../matrix/held_matrix.ts";
import type { Matrix } from "../matrix/matrix.ts";
import {
  draftParts,
  draftSample,
  extrapolateBits,
  extrapolateFields,
  matrixOfPart,
} from "./draft_sample.ts";

/** A layered model in shapes alone; its head is long. */
function shapesOf(layers: number, width: number): Matrix[] {
  const matrix = (name: string, rows: number, columns: number): Matrix =>
    heldMatrix({
      name,
      rows,
      columns,
      metric: {
        rowWeights: new Float64Array(rows).fill(1),
        columnWeights: new Float64Array(columns).fill(1),
        feedback: new Float32Array(),
      },
    }, { stored: new Float32Array(rows * columns), transposed: true });
  return [
    matrix("head.weight", width, 9000),
    ...Array.from({ length: layers }, (_, layer) => [
      matrix(`layers.${layer}.up.weight`, width, 2 * width),
      matrix(`layers.${layer}.down.weight`, 2 * width, width),
    ]).flat(),
  ];
}

const matrices = shapesOf(20, 256);
const parts = draftParts(matrices);
const sample = draftSample(parts);

Deno.test("long matrices are cut into parts that are all of them", () => {
  const head = parts.filter(({ matrix }) => matrix === 0);
  assert.deepEqual(head.map(({ start }) => start), Array.from({ length: 9 }, (_, i) => 1024 * i));
  assert.equal(head.reduce((sum, { columns }) => sum + columns, 0), 9000);
  assert.equal(parts.length, 9 + 40);
  assert.equal(matrixOfPart(matrices, head[2]!).columns, 1024);
  assert.equal(matrixOfPart(matrices, parts[9]!), matrices[1]);
});

Deno.test("a sample has some of each kind, spread over the layers; of small models it is all", () => {
  const names = sample.map((i) => parts[i]!.name);
  for (const kind of ["up", "down"]) {
    const layers = names.filter((name) => name.includes(kind)).map((name) =>
      Number(name.split(".")[1])
    );
    assert.deepEqual(layers, [2, 7, 12, 17]);
  }
  // Four whole parts of the head, and the rest of it, which is of a kind of its own.
  assert.equal(names.filter((name) => name === "head.weight").length, 5);
  const small = draftParts(shapesOf(3, 64));
  assert.equal(draftSample(small).length, small.length);
});

Deno.test("what an estimate misses in proportion to the rate is made up for", () => {
  const valuesOf = (i: number) => parts[i]!.rows * parts[i]!.columns;
  const estimated = parts.map((_, i) => valuesOf(i) * (2 + i / 20));
  const isHead = (i: number) => parts[i]!.matrix === 0;
  // Another line for the head than for the rest.
  const truth = parts.map((_, i) =>
    isHead(i) ? 1.1 * estimated[i]! : 0.9 * estimated[i]! + 0.6 * valuesOf(i)
  );
  const sum = truth.reduce((total, bits) => total + bits);
  const known = new Map(sample.map((i) => [i, truth[i]!]));
  assert.ok(Math.abs(extrapolateBits(parts, estimated, known) / sum - 1) < 1e-12);
  assert.ok(Math.abs(estimated.reduce((total, bits) => total + bits) / sum - 1) > 0.02);
});

Deno.test("scales of a matrix in parts are counted once", () => {
  const bytesOf = ({ rows, columns }: { rows: number; columns: number }) => 0.5 * (rows + columns);
  const known = new Map(sample.map((i) => [i, bytesOf(parts[i]!)]));
  const sum = matrices.reduce((total, matrix) => total + bytesOf(matrix), 0);
  assert.ok(Math.abs(extrapolateFields(matrices, parts, known) / sum - 1) < 1e-12);
});
