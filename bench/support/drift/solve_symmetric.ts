/**
 * X of A X = B by Cholesky's factors, for a positive definite A of `size` rows and a B of `columns`
 * columns, both row-major. Throws `RangeError` where A is not positive definite.
 */
export function solveSymmetric(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  size: number,
  columns: number,
): Float64Array {
  const factor = choleskyFactor(a, size);
  const x = Float64Array.from(b);
  const row = (i: number) => x.subarray(i * columns, (i + 1) * columns);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) addTimes(row(i), row(k), -factor[i * size + k]!);
    scale(row(i), 1 / factor[i * size + i]!);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) addTimes(row(i), row(k), -factor[k * size + i]!);
    scale(row(i), 1 / factor[i * size + i]!);
  }
  return x;
}

/** The lower triangular L with L Lᵀ = A. */
function choleskyFactor(a: ArrayLike<number>, size: number): Float64Array {
  const factor = Float64Array.from(a);
  for (let i = 0; i < size; i++) {
    const row = factor.subarray(i * size, (i + 1) * size);
    for (let j = 0; j <= i; j++) {
      const other = factor.subarray(j * size, (j + 1) * size);
      let sum = row[j]!;
      for (let k = 0; k < j; k++) sum -= row[k]! * other[k]!;
      if (j < i) {
        row[j] = sum / other[j]!;
        continue;
      }
      if (!(sum > 0)) throw new RangeError(`not positive definite at row ${i}`);
      row[i] = Math.sqrt(sum);
    }
  }
  return factor;
}

function addTimes(to: Float64Array, from: Float64Array, factor: number): void {
  for (let j = 0; j < to.length; j++) to[j]! += factor * from[j]!;
}

function scale(values: Float64Array, factor: number): void {
  for (let j = 0; j < values.length; j++) values[j]! *= factor;
}
