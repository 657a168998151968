/** Number of elements of the lower triangle, diagonal included, of a `size` × `size` matrix. */
export function triangleSize(size: number): number {
  return size * (size + 1) / 2;
}

/** Where a row begins in a lower triangle that is stored row by row; its diagonal ends it. */
export function triangleStart(row: number): number {
  return row * (row + 1) / 2;
}
