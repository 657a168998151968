import type { Random } from "../../kan/numeric/random.ts";

/**
 * A random [rows, columns] matrix with orthonormal columns, or with orthonormal rows where there
 * are more columns than rows; row-major. Gram-Schmidt, twice, on normal numbers.
 */
export function semiOrthogonalMatrix(rows: number, columns: number, random: Random): Float64Array {
  const length = Math.max(rows, columns), count = Math.min(rows, columns);
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const other of vectors) addMultiple(vector, other, -dot(vector, other));
    }
    const norm = Math.sqrt(dot(vector, vector));
    vectors.push(vector.map((value) => value / norm));
  }
  const matrix = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      matrix[i * columns + j] = rows >= columns ? vectors[j]![i]! : vectors[i]![j]!;
    }
  }
  return matrix;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addMultiple(target: Float64Array, source: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * source[i]!;
}
