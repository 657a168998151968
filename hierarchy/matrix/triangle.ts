/** Number of elements of the lower triangle, diagonal included, of a `size` × `size` matrix. */
export function triangleSize(size: number): number {
  return size * (size + 1) / 2;
}

/** Where a row begins in a lower triangle that is stored row by row; its diagonal ends it. */
export function triangleStart(row: number): number {
  return row * (row + 1) / 2;
}

/** Copies the lower triangle of a symmetric matrix (row-major, size × size), row by row. */
export function copyTriangle(
  matrix: Float64Array,
  size: number,
  triangle: Float32Array | Float64Array,
): void {
  for (let row = 0; row < size; row++) {
    triangle.set(matrix.subarray(row * size, row * size + row + 1), triangleStart(row));
  }
}

/** The lower triangle of a symmetric matrix (row-major, size × size), row by row. */
export function lowerTriangle(matrix: Float64Array, size: number): Float64Array {
  const triangle = new Float64Array(triangleSize(size));
  copyTriangle(matrix, size, triangle);
  return triangle;
}

/** The full matrix, row-major, of a lower triangle stored row by row; values times `factor`. */
export function expandTriangle(
  triangle: Float32Array | Float64Array,
  size: number,
  factor = 1,
): Float64Array {
  const full = new Float64Array(size * size);
  for (let row = 0, at = 0; row < size; row++) {
    for (let column = 0; column <= row; column++, at++) {
      const value = triangle[at]! * factor;
      full[row * size + column] = value;
      full[column * size + row] = value;
    }
  }
  return full;
}
