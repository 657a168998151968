import { greatest } from "../../data/extremes.ts";
import { requireNumber, requireSamples } from "./checks.ts";

/** A real matrix in float64, row by row; for data sets, one sample a row. */
export interface Samples {
  /** Number of rows: samples. */
  readonly rows: number;
  /** Number of columns: variables. */
  readonly columns: number;
  /** rows * columns numbers, row by row. */
  readonly data: Float64Array;
}

/**
 * The X that minimises |A X - Y|^2 + ridge |X|^2, by Householder QR of A with sqrt(ridge) I below
 * it (Golub & Van Loan, Matrix Computations, 5.3). The normal equations would square the condition
 * number. Columns that depend on earlier ones to rounding error get weight 0 instead of noise.
 *
 * @param design A [rows, columns].
 * @param targets Y [rows, targets].
 * @param ridge At least 0, in the squared units of A.
 * @returns X [columns, targets].
 * @throws RangeError if the numbers of rows differ, `ridge` is negative or a number is not finite.
 *
 * ```ts
 * import { solveLeastSquares } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const design = { rows: 3, columns: 2, data: Float64Array.of(1, 0, 1, 1, 1, 2) };
 * const targets = { rows: 3, columns: 1, data: Float64Array.of(1, 3, 5) };
 * const [intercept, slope] = solveLeastSquares(design, targets).data;
 * assert.ok(Math.abs(intercept! - 1) < 1e-12 && Math.abs(slope! - 2) < 1e-12);
 * ```
 */
export function solveLeastSquares(design: Samples, targets: Samples, ridge = 0): Samples {
  requireSamples("design", design);
  requireSamples("targets", targets);
  requireNumber("ridge", ridge, { least: 0 });
  if (design.rows !== targets.rows) {
    throw new RangeError(`${design.rows} rows of the design for ${targets.rows} rows of targets`);
  }
  return leastSquares(design, targets, ridge);
}

/** {@link solveLeastSquares} of numbers that need not be finite, such as a step that overflows. */
export function leastSquares(design: Samples, targets: Samples, ridge = 0): Samples {
  const n = design.columns, count = targets.columns;
  const rows = design.rows + (ridge > 0 ? n : 0);
  // Column by column, so that the inner loops run over adjacent numbers.
  const a = toColumns(design, rows), y = toColumns(targets, rows);
  if (ridge > 0) {
    for (let j = 0; j < n; j++) a[j]![design.rows + j] = Math.sqrt(ridge);
  }
  const scale = Math.max(0, greatest(a.map((column) => Math.sqrt(dot(column, column, 0)))));
  const tolerance = scale * rows * Number.EPSILON;
  const pivots: number[] = [];
  let rank = 0;
  for (let j = 0; j < n && rank < rows; j++) {
    if (reflect(a, y, j, rank, tolerance)) pivots[rank++] = j;
  }
  const solution = new Float64Array(n * count);
  for (let target = 0; target < count; target++) {
    for (let row = rank - 1; row >= 0; row--) {
      let sum = y[target]![row]!;
      for (let later = row + 1; later < rank; later++) {
        sum -= a[pivots[later]!]![row]! * solution[pivots[later]! * count + target]!;
      }
      solution[pivots[row]! * count + target] = sum / a[pivots[row]!]![row]!;
    }
  }
  return { rows: n, columns: count, data: solution };
}

/** Zeroes column j below row `at` by a reflection of all columns; false if it is already 0. */
function reflect(
  a: Float64Array[],
  y: Float64Array[],
  j: number,
  at: number,
  tolerance: number,
): boolean {
  const column = a[j]!;
  const norm = Math.sqrt(dot(column, column, at));
  if (!(norm > tolerance)) return false;
  const pivot = column[at]! > 0 ? -norm : norm;
  const normal = column.slice();
  normal[at]! -= pivot;
  const squaredLength = dot(normal, normal, at);
  for (const other of [...a.slice(j + 1), ...y]) {
    const factor = 2 * dot(normal, other, at) / squaredLength;
    if (factor === 0) continue;
    for (let i = at; i < other.length; i++) other[i]! -= factor * normal[i]!;
  }
  column.fill(0, at);
  column[at] = pivot;
  return true;
}

function dot(a: Float64Array, b: Float64Array, from: number): number {
  let sum = 0;
  for (let i = from; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function toColumns(matrix: Samples, rows: number): Float64Array[] {
  return Array.from({ length: matrix.columns }, (_, j) => {
    const column = new Float64Array(rows);
    for (let i = 0; i < matrix.rows; i++) column[i] = matrix.data[i * matrix.columns + j]!;
    return column;
  });
}
