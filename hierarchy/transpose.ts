/** Columns of a strip: what they become still has its cache lines when the next rows follow. */
const STRIP_COLUMNS = 256;

/** The transpose of a row-major matrix. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(data.length);
  const wholeRows = rows - rows % 8;
  for (let left = 0; left < columns; left += STRIP_COLUMNS) {
    const right = Math.min(columns, left + STRIP_COLUMNS);
    // Eight rows at once are half a cache line of their columns.
    for (let i = 0; i < wholeRows; i += 8) {
      const a = i * columns, b = a + columns, c = b + columns, d = c + columns;
      const e = d + columns, f = e + columns, g = f + columns, h = g + columns;
      for (let j = left, at = j * rows + i; j < right; j++, at += rows) {
        transposed[at] = data[a + j]!;
        transposed[at + 1] = data[b + j]!;
        transposed[at + 2] = data[c + j]!;
        transposed[at + 3] = data[d + j]!;
        transposed[at + 4] = data[e + j]!;
        transposed[at + 5] = data[f + j]!;
        transposed[at + 6] = data[g + j]!;
        transposed[at + 7] = data[h + j]!;
      }
    }
    for (let i = wholeRows; i < rows; i++) {
      for (let j = left; j < right; j++) transposed[j * rows + i] = data[i * columns + j]!;
    }
  }
  return transposed;
}
