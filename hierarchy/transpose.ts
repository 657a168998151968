/** The transpose of a row-major matrix. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(data.length);
  // Square tiles keep both sides in cache.
  const tile = 32;
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(rows, top + tile);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(columns, left + tile);
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) transposed[j * rows + i] = data[i * columns + j]!;
      }
    }
  }
  return transposed;
}
