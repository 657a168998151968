import assert from "node:assert";
import { createRandom } from "../../../kan/numeric/random.ts";
import {
  addBlockTerm,
  chooseShapes,
  costsOf,
  fitToScales,
  lineBits,
} from "./entropy_candidates.ts";
import { fitTwoTerms } from "./two_term_field.ts";

const ROWS = 64, COLUMNS = 96;

/** Laplacian integers of a scale of 2^(eighths / 8), told as if all scales were 2^(24 / 8). */
function laplacian(eighths: (i: number, j: number) => number, seed: number) {
  const random = createRandom(seed);
  const magnitudes = Int32Array.from({ length: ROWS * COLUMNS }, (_, at) => {
    const scale = 2 ** (eighths(Math.floor(at / COLUMNS), at % COLUMNS) / 8);
    return Math.round(-scale * Math.log(1 - random.uniform()) / 2);
  });
  const length = magnitudes.length;
  return {
    name: "w",
    rows: ROWS,
    columns: COLUMNS,
    magnitudes,
    quantizers: new Uint8Array(length),
    scales: new Int16Array(length).fill(24),
  };
}

Deno.test("a block term finds the scales of blocks and saves bits", () => {
  const planted = laplacian((i, j) => i < 32 === j < 48 ? 26 : 22, 1);
  const costs = costsOf(fitToScales([planted]));
  const { moves, symbols } = addBlockTerm(planted, costs, 32, 48);
  assert.ok(moves[0]! > 0 && moves[3]! > 0 && moves[1]! < 0 && moves[2]! < 0, `${moves}`);
  const before = lineBits(planted, costs), after = lineBits(symbols, costs);
  assert.ok(after.sum < before.sum - 50);
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum(before.rows) - before.sum) < 1e-6);
  assert.ok(Math.abs(sum(before.columns) - before.sum) < 1e-6);
});

Deno.test("a choice of shapes never costs more codes than one shape", () => {
  const planted = laplacian((_, j) => j % 2 === 0 ? 40 : 8, 2);
  const one = chooseShapes([planted], "columns", 1), two = chooseShapes([planted], "columns", 2);
  assert.ok(two.codes < one.codes - 1000);
  assert.ok(two.side > one.side);
});

Deno.test("two terms fit scales that one product cannot", () => {
  const at = (i: number, j: number) => 2 ** (i % 5) * 2 ** (j % 3) + 8 * 2 ** ((i * 3) % 4 - j % 5);
  const random = createRandom(3);
  const scales = Float64Array.from(
    { length: ROWS * COLUMNS },
    (_, k) => at(Math.floor(k / COLUMNS), k % COLUMNS),
  );
  const magnitudes = Float32Array.from(scales, (scale) => -scale * Math.log(1 - random.uniform()));
  const divergence = (sigma: (i: number, j: number) => number) => {
    let sum = 0;
    magnitudes.forEach((x, k) => {
      const scale = sigma(Math.floor(k / COLUMNS), k % COLUMNS);
      sum += Math.log2(scale) + x / scale * Math.LOG2E;
    });
    return sum / magnitudes.length;
  };
  const start = {
    rows: new Float64Array(ROWS).fill(4),
    columns: new Float64Array(COLUMNS).fill(4),
  };
  const fit = (rounds: number) => {
    const { rows, columns } = fitTwoTerms(magnitudes, start, rounds);
    return divergence((i, j) => rows[0][i]! * columns[0][j]! + rows[1][i]! * columns[1][j]!);
  };
  const truth = divergence(at), early = fit(5), late = fit(60);
  assert.ok(late <= early + 1e-9, "every update lowers the divergence");
  assert.ok(late < truth + 0.01, `${late} instead of ${truth}`);
});
