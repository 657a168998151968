import { bisect } from "../../hierarchy/matrix/bisect.ts";
/**
 * The singular values of a row-major matrix, largest first: square roots of the eigenvalues of the
 * smaller of its two Gram matrices. Values below about 1e-7 of the largest are rounding errors.
 *
 * ```ts
 * import { singularValues } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * assert.deepEqual(Array.from(singularValues(Float32Array.of(0, 2, 3, 0), 2, 2), Math.round), [3, 2]);
 * ```
 */
export function singularValues(
  data: Float32Array,
  rows: number,
  columns: number,
): Float64Array<ArrayBuffer> {
  const size = Math.min(rows, columns);
  const gram = gramMatrix(data, rows, columns);
  const { diagonal, offDiagonal } = tridiagonalize(gram, size);
  return tridiagonalEigenvalues(diagonal, offDiagonal)
    .map((value) => Math.sqrt(Math.max(0, value))).sort().reverse();
}

/** A Aᵀ or Aᵀ A, whichever is smaller. */
function gramMatrix(data: Float32Array, rows: number, columns: number): Float64Array {
  const size = Math.min(rows, columns), length = Math.max(rows, columns);
  const vectors = rows <= columns ? data : transposed(data, rows, columns);
  const gram = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < length; k++) sum += vectors[i * length + k]! * vectors[j * length + k]!;
      gram[i * size + j] = gram[j * size + i] = sum;
    }
  }
  return gram;
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Householder's reduction of a symmetric matrix (Golub and Van Loan, section 8.3.1). */
function tridiagonalize(a: Float64Array, n: number) {
  const diagonal = new Float64Array(n), offDiagonal = new Float64Array(n);
  const p = new Float64Array(n), v = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    diagonal[k] = a[k * n + k]!;
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm = Math.hypot(norm, a[i * n + k]!);
    if (norm === 0) continue;
    const first = a[(k + 1) * n + k]!;
    const alpha = first > 0 ? -norm : norm;
    offDiagonal[k] = alpha;
    for (let i = k + 1; i < n; i++) v[i] = a[i * n + k]!;
    v[k + 1] = first - alpha;
    const scale = 1 / (norm * (norm + Math.abs(first)));
    let pv = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * v[j]!;
      p[i] = scale * sum;
      pv += p[i]! * v[i]!;
    }
    const shift = scale * pv / 2;
    for (let i = k + 1; i < n; i++) p[i] = p[i]! - shift * v[i]!;
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) {
        a[i * n + j] = a[i * n + j]! - v[i]! * p[j]! - p[i]! * v[j]!;
      }
    }
  }
  diagonal[n - 1] = a[n * n - 1]!;
  return { diagonal, offDiagonal };
}

/** Eigenvalues by bisection on Sturm's sequence (Golub and Van Loan, section 8.4.1). */
function tridiagonalEigenvalues(diagonal: Float64Array, offDiagonal: Float64Array) {
  const n = diagonal.length;
  let bound = 0;
  for (let i = 0; i < n; i++) {
    const sides = Math.abs(offDiagonal[i]!) + Math.abs(offDiagonal[i - 1] ?? 0);
    bound = Math.max(bound, Math.abs(diagonal[i]!) + sides);
  }
  const countBelow = (x: number) => {
    let count = 0, q = 1;
    for (let i = 0; i < n; i++) {
      const side = offDiagonal[i - 1] ?? 0;
      q = diagonal[i]! - x - (i === 0 ? 0 : side * side / q);
      if (q === 0) q = Number.EPSILON * bound;
      if (q < 0) count++;
    }
    return count;
  };
  return Float64Array.from({ length: n }, (_, k) => {
    const [low, high] = bisect([-bound, bound], (x) => countBelow(x) <= k, 60, 1e-15 * bound);
    return (low + high) / 2;
  });
}
