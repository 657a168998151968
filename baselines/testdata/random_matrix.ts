import { createRandom } from "../../kan/numeric/random.ts";
import type { Matrix } from "../../hierarchy/matrix/matrix.ts";

/** A matrix of independent normal numbers. */
export function randomMatrix(rows: number, columns: number, seed: number): Matrix {
  const random = createRandom(seed);
  const data = Float32Array.from({ length: rows * columns }, () => random.normal());
  return { name: `${rows} by ${columns}`, rows, columns, data };
}

/** The second moment of `count` correlated random vectors of a size, row-major. */
export function randomHessian(size: number, count: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const hessian = new Float64Array(size * size);
  for (let t = 0; t < count; t++) {
    let previous = 0;
    const x = Float64Array.from({ length: size }, () => {
      previous = 0.8 * previous + random.normal();
      return previous;
    });
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) hessian[i * size + j]! += x[i]! * x[j]! / count;
    }
  }
  return hessian;
}

/** Mean square of the differences of two arrays. */
export function meanSquaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum / a.length;
}

/** Σ e H eᵀ over the rows of the difference of two matrices. */
export function outputError(a: Matrix, b: Float32Array, hessian: Float64Array): number {
  const { rows, columns, data } = a;
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) {
        const at = row * columns;
        sum += (data[at + i]! - b[at + i]!) * hessian[i * columns + j]! *
          (data[at + j]! - b[at + j]!);
      }
    }
  }
  return sum;
}
