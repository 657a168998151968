import type { ByteMatrix } from "../weights/byte_matrix.ts";

/** Matrices of whole numbers with the same inputs, one below the other, as programs read them. */
export interface ByteOperand {
  readonly type: "i8" | "i16";
  /** The numbers: a byte each, or two where one of the matrices has two planes. */
  readonly values: Uint32Array;
  /**
   * In pairs: for each row its factor (the bits of a float32 number) and the pair with which its columns'
   * factors begin; then those.
   */
  readonly scales: Uint32Array;
  /** What does not fit into the bytes, if something does not. */
  readonly sparse?: {
    /** Where each row's entries start, and where the last row's end. */
    readonly starts: Uint32Array;
    /** In pairs: column, and number (the bits of a float32 number). */
    readonly entries: Uint32Array;
  };
}

/** Rows `start` to `end` (exclusive) of a matrix; shares its memory where it can. */
export function sliceRows(matrix: ByteMatrix, start: number, end: number): ByteMatrix {
  const { columns, planes, rowFactors, columnFactors, sparse } = matrix;
  const [first, last] = [sparse?.starts[start] ?? 0, sparse?.starts[end] ?? 0];
  return {
    rows: end - start,
    columns,
    planes: planes.map(({ bytes, unit }) => ({
      bytes: bytes.subarray(start * columns, end * columns),
      unit,
    })),
    rowFactors: rowFactors.subarray(start, end),
    columnFactors,
    ...(sparse !== undefined && last > first && {
      sparse: {
        starts: sparse.starts.slice(start, end + 1).map((at) => at - first),
        places: sparse.places.subarray(first, last),
        values: sparse.values.subarray(first, last),
      },
    }),
  };
}

/** Lays out matrices whose columns are equally many, a multiple of 4. */
export function byteOperand(matrices: readonly ByteMatrix[]): ByteOperand {
  const columns = matrices[0]!.columns;
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const isWide = matrices.some(({ planes }) => planes.length > 1);
  const size = isWide ? 2 : 1;
  const values = new Uint32Array(Math.ceil(size * rows * columns / 4));
  const bytes = new Int8Array(values.buffer);
  const scales = new Uint32Array(2 * rows + matrices.length * columns);
  const floats = new Float32Array(scales.buffer);
  let [row, factorsAt] = [0, 2 * rows];
  for (const { rows: height, planes: [low, high], rowFactors, columnFactors } of matrices) {
    const start = size * row * columns;
    if (!isWide) bytes.set(low!.bytes, start);
    else {
      for (let i = 0; i < low!.bytes.length; i++) {
        bytes[start + 2 * i] = low!.bytes[i]!;
        bytes[start + 2 * i + 1] = high?.bytes[i] ?? 0;
      }
    }
    floats.set(columnFactors, factorsAt);
    for (let i = 0; i < height; i++, row++) {
      floats[2 * row] = rowFactors[i]!;
      scales[2 * row + 1] = factorsAt / 2;
    }
    factorsAt += columns;
  }
  const sparse = joinSparse(matrices, rows);
  return { type: isWide ? "i16" : "i8", values, scales, ...(sparse && { sparse }) };
}

function joinSparse(matrices: readonly ByteMatrix[], rows: number): ByteOperand["sparse"] {
  const count = matrices.reduce((sum, { sparse }) => sum + (sparse?.places.length ?? 0), 0);
  if (count === 0) return undefined;
  const starts = new Uint32Array(rows + 1);
  const entries = new Uint32Array(2 * count);
  const numbers = new Float32Array(entries.buffer);
  let [row, entry] = [0, 0];
  for (const { rows: height, sparse } of matrices) {
    for (let i = 0; i < height; i++, row++) {
      for (let at = sparse?.starts[i] ?? 0; at < (sparse?.starts[i + 1] ?? 0); at++, entry++) {
        entries[2 * entry] = sparse!.places[at]!;
        numbers[2 * entry + 1] = sparse!.values[at]!;
      }
      starts[row + 1] = entry;
    }
  }
  return { starts, entries };
}
