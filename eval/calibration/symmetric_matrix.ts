/** The full matrix, row-major, of a lower triangle stored row by row; values times `factor`. */
export function expandTriangle(triangle: Float64Array, size: number, factor = 1): Float64Array {
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
