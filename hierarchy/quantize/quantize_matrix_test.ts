import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { forEachDiagonal } from "../scan/pieces.ts";
import type { Matrix } from "../matrix/matrix.ts";
import type { ErrorMetric } from "../matrix/error_metric.ts";
import { packUpper } from "../metric/packed_upper.ts";
import { lowerTriangle } from "../matrix/triangle.ts";
import { factorTriangle } from "../metric/upper_factor.ts";
import { quantizeMatrix } from "./quantize_matrix.ts";
import { createTrellis, reconstruct, type Trellis } from "../scan/trellis.ts";

/** A second moment with strong correlations. */
function correlatedMoment(size: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const mixing = Array.from({ length: size * 8 }, () => random.normal());
  return Float64Array.from({ length: size * size }, (_, at) => {
    const i = Math.floor(at / size), j = at % size;
    let sum = i === j ? 0.1 : 0;
    for (let k = 0; k < 8; k++) sum += mixing[i * 8 + k]! * mixing[j * 8 + k]!;
    return sum;
  });
}

function factorOf(moment: Float64Array, size: number) {
  const factor = lowerTriangle(moment, size);
  factorTriangle(factor, size, 0);
  return packUpper(factor, size);
}

/** Weights in steps with correlated inputs and, where `blocks` says so, outputs. */
function correlatedProblem(rows: number, columns: number, blocks: readonly number[] = []) {
  const hessian = correlatedMoment(rows, 8);
  let start = 0;
  const outputs = blocks.map((size) => {
    start += size;
    return { start: start - size, size, moment: correlatedMoment(size, start) };
  });
  // Outputs whose weights differ are quantized in steps that differ alike.
  const columnSteps = new Float64Array(columns).fill(1);
  const columnBlocks = outputs.map(({ start, size, moment }) => {
    const { rowWeights, feedback } = factorOf(moment, size);
    columnSteps.set(rowWeights.map((weight) => 1 / weight), start);
    return { start, size, feedback };
  });
  const random = createRandom(9);
  const data = Float32Array.from({ length: rows * columns }, () => random.normal() * 3);
  const metric: ErrorMetric = {
    ...factorOf(hessian, rows),
    columnWeights: new Float64Array(columns).fill(1),
    ...(blocks.length > 0 && { columnBlocks, columnSteps }),
  };
  return { hessian, outputs, columnSteps, matrix: { name: "w", rows, columns, data }, metric };
}

/** What the indices stand for, row-major. */
function decode(
  trellis: Trellis,
  { rows, columns }: Matrix,
  indices: ArrayLike<number>,
): Float32Array {
  const levels = new Float32Array(rows * columns);
  forEachDiagonal({ rows, columns }, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = indices[position + t]!;
      levels[(row + t) * columns + column - t] = reconstruct(trellis, state & 1, k);
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return levels;
}

/** Σ over columns j, l of G_jl e_jᵀ H e_l, with e the errors in units of weights. */
function weightedError(
  { hessian, outputs, columnSteps, matrix }: ReturnType<typeof correlatedProblem>,
  levels: Float32Array,
): number {
  const { data, rows, columns } = matrix;
  const errors = Float64Array.from(
    data,
    (value, at) => (value - levels[at]!) * columnSteps[at % columns]!,
  );
  const blocks = outputs.length > 0 ? outputs : Array.from({ length: columns }, (_, j) => ({
    start: j,
    size: 1,
    moment: Float64Array.of(1),
  }));
  let sum = 0;
  for (const { start, size, moment } of blocks) {
    for (let a = 0; a < rows; a++) {
      for (let b = 0; b < rows; b++) {
        for (let j = 0; j < size; j++) {
          for (let l = 0; l < size; l++) {
            sum += moment[j * size + l]! * hessian[a * rows + b]! *
              errors[a * columns + start + j]! * errors[b * columns + start + l]!;
          }
        }
      }
    }
  }
  return sum;
}

Deno.test("error feedback lowers the weighted error, for scalar and trellis quantizers", () => {
  for (const blocks of [[], [80], [64, 16]]) {
    const problem = correlatedProblem(48, 80, blocks);
    for (const states of [1, 8]) {
      const trellis = createTrellis(states);
      const [plain, fed] = [problem.matrix, { ...problem.matrix, metric: problem.metric }].map(
        (matrix) =>
          weightedError(problem, decode(trellis, matrix, quantizeMatrix(trellis, matrix))),
      );
      assert.ok(fed! < 0.25 * plain!, `${states} states, ${blocks}: ${fed! / plain!}`);
    }
  }
});

Deno.test("with feedback between columns the weighted error is lower than without", () => {
  const problem = correlatedProblem(48, 64, [64]);
  const { columnBlocks: _, ...rowsOnly } = problem.metric;
  for (const states of [1, 8]) {
    const trellis = createTrellis(states);
    const [one, both] = [rowsOnly, problem.metric].map((metric) => {
      const matrix = { ...problem.matrix, metric };
      return weightedError(problem, decode(trellis, matrix, quantizeMatrix(trellis, matrix)));
    });
    assert.ok(both! < 0.5 * one!, `${states} states: ${both! / one!}`);
  }
});

Deno.test("each value is quantized at the conditional mean given the errors before it", () => {
  // An independent formulation: value (i, j) is best where the weighted error is least over all
  // values below and to the right, taken as free; found by Gauss-Seidel on the normal equations.
  const problem = correlatedProblem(5, 4, [4]);
  const { matrix, metric, hessian, outputs, columnSteps } = problem;
  const { rows, columns, data } = matrix;
  const trellis = createTrellis(1);
  const levels = decode(trellis, matrix, quantizeMatrix(trellis, { ...matrix, metric }));
  const cost = (a: number, b: number) => {
    const [i, j, k, l] = [
      Math.floor(a / columns),
      a % columns,
      Math.floor(b / columns),
      b % columns,
    ];
    return hessian[i * rows + k]! * outputs[0]!.moment[j * columns + l]! * columnSteps[j]! *
      columnSteps[l]!;
  };
  for (let at = 0; at < data.length; at++) {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const errors = Float64Array.from(data, (value, other) => {
      const isFixed = Math.floor(other / columns) <= row && other % columns <= column &&
        other !== at;
      return isFixed ? value - levels[other]! : NaN;
    });
    const shift = freeOptimum(errors, cost)[at]!;
    assert.equal(levels[at], Math.round(data[at]! - shift));
  }
});

/** Errors that make Σ e_a cost(a, b) e_b least, where those that are not NaN are fixed. */
function freeOptimum(
  errors: Float64Array,
  cost: (a: number, b: number) => number,
): Float64Array {
  const free = [...errors.keys()].filter((at) => Number.isNaN(errors[at]));
  const found = errors.map((error) => Number.isNaN(error) ? 0 : error);
  for (let sweep = 0; sweep < 4000; sweep++) {
    for (const a of free) {
      let sum = 0;
      for (let b = 0; b < found.length; b++) if (b !== a) sum += cost(a, b) * found[b]!;
      found[a] = -sum / cost(a, a);
    }
  }
  return found;
}

Deno.test("every value gets an index whatever the shape, the same without a metric", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      (rows, columns) => {
        const { matrix } = correlatedProblem(rows, columns);
        const diagonal = {
          rowWeights: Float64Array.from({ length: rows }, (_, i) => 1 + i),
          feedback: new Float32Array(rows * (rows - 1) / 2),
          columnWeights: new Float64Array(columns).fill(1),
        };
        const trellis = createTrellis(1);
        const plain = quantizeMatrix(trellis, matrix);
        assert.deepEqual(quantizeMatrix(trellis, { ...matrix, metric: diagonal }), plain);
        assert.deepEqual(
          decode(trellis, matrix, plain),
          matrix.data.map((value) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5)),
        );
      },
    ),
    { numRuns: 20 },
  );
});
