import { type RowRange, type SubtractRows, subtractRows } from "./subtract_rows.ts";
import { createFactorKernel } from "./factor_kernel.ts";
import { kernelOrReference } from "../kernels/kernel_or_reference.ts";
import { lowerTriangle, triangleStart } from "../matrix/triangle.ts";

const fastestSubtractRows = kernelOrReference(createFactorKernel, subtractRows);

/**
 * Factors a symmetric positive semidefinite matrix H as U Uᵀ with U upper triangular, after adding
 * `damping` times the mean of the diagonal to the diagonal. `triangle` is the lower triangle of H,
 * row by row; U takes its place, transposed: U_ik for i <= k at `triangleStart(k) + i`. Rows and
 * columns without any energy (dead inputs) get the damping alone, so a matrix of any rank works; a
 * zero matrix is taken for the identity. Of a matrix that is not semidefinite, pivots are raised.
 */
export function factorTriangle(
  triangle: Float64Array,
  size: number,
  damping: number,
  subtract: SubtractRows = fastestSubtractRows(),
): void {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += triangle[triangleStart(i) + i]!;
  const ridge = trace > 0 ? damping * trace / size : 1;
  for (let i = 0; i < size; i++) {
    const at = triangleStart(i) + i;
    triangle[at] = triangle[at]! + ridge;
  }
  // With the ridge no pivot of a semidefinite matrix is smaller.
  factorRows(triangle, [0, size], ridge, subtract);
}

/** From the last row to the first; halves of halves make nearly all of the work large products. */
function factorRows(
  triangle: Float64Array,
  [start, end]: RowRange,
  leastSquare: number,
  subtract: SubtractRows,
): void {
  if (end - start > 1) {
    const middle = (start + end) >> 1;
    factorRows(triangle, [middle, end], leastSquare, subtract);
    subtract(triangle, [middle, end], [start, middle]);
    factorRows(triangle, [start, middle], leastSquare, subtract);
  } else if (end > start) {
    const first = triangleStart(start), last = first + start;
    const pivot = Math.sqrt(Math.max(triangle[last]!, leastSquare));
    for (let at = first; at < last; at++) triangle[at] = triangle[at]! / pivot;
    triangle[last] = pivot;
  }
}

/** The factor U of {@linkcode factorTriangle} of a whole matrix H; both row-major, size × size. */
export function upperFactor(hessian: Float64Array, size: number, damping: number): Float64Array {
  const triangle = lowerTriangle(hessian, size);
  factorTriangle(triangle, size, damping);
  const factor = new Float64Array(size * size);
  for (let k = 0, at = 0; k < size; k++) {
    for (let i = 0; i <= k; i++, at++) factor[i * size + k] = triangle[at]!;
  }
  return factor;
}
