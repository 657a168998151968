import { RUNS, writeSideBySide } from "./side_by_side.ts";

/** Columns of a strip: what they become still has its cache lines when the next rows follow. */
const STRIP_COLUMNS = 256;

/** Writes the transpose of a row-major `[rows, columns]` matrix, `[columns, rows]`. */
export function transposeInto(
  target: Float32Array,
  source: Float32Array,
  rows: number,
  columns: number,
): void {
  const starts = new Int32Array(RUNS);
  const rest = rows % RUNS;
  for (let left = 0; left < columns; left += STRIP_COLUMNS) {
    const width = Math.min(columns - left, STRIP_COLUMNS);
    for (let i = 0; i < rows - rest; i += RUNS) {
      for (let k = 0; k < RUNS; k++) starts[k] = (i + k) * columns + left;
      writeSideBySide(source, starts, width, target, left * rows + i, rows);
    }
    for (let i = rows - rest; i < rows; i++) {
      for (let j = left; j < left + width; j++) target[j * rows + i] = source[i * columns + j]!;
    }
  }
}

/** The transpose of a row-major `[rows, columns]` matrix. */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const transposed = new Float32Array(data.length);
  transposeInto(transposed, data, rows, columns);
  return transposed;
}
