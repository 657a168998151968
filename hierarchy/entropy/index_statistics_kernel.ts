import { emptyCounts } from "./fit_symbol_model.ts";
import { type IndexMatrix, indexReader } from "./index_matrix.ts";
import { forEachDiagonal } from "../scan/pieces.ts";
import { AXIS_SUMS, type IndexStatistics, rawBitsOfClasses } from "./index_statistics.ts";
import { quantizersOf } from "../scan/trellis.ts";
import { instantiateKernel, PAGE_BYTES } from "../kernels/instantiate.ts";
import { STATISTICS_WASM } from "../kernels/statistics_wasm.ts";

/** What statistics.as.ts exports; places and steps are in bytes. */
interface StatisticsExports {
  addCosts(
    length: number,
    state: number,
    indices: number,
    rows: number,
    columns: number,
    sums: number,
    sumsStep: number,
    bits: number,
    transitions: number,
  ): number;
  countMagnitudes(
    length: number,
    state: number,
    indices: number,
    rows: number,
    columns: number,
    rawBits: number,
    counts: number,
    transitions: number,
  ): number;
}

type Values = Uint8Array | Uint16Array | Int32Array | Float32Array | Float64Array;

/** What 32-bit addresses reach, less a page. */
const MOST_BYTES = 2 ** 32 - PAGE_BYTES;
/** Places are multiples of this. */
const ALIGNMENT = 16;
/** Bytes of a row's or a column's sums. */
const SUMS_BYTES = 8 * AXIS_SUMS;

/**
 * `indexStatistics` in WebAssembly SIMD, with the same results to the bit; `undefined` if the
 * platform lacks it. Its memory has room for the scales and one anti-diagonal of the largest matrix.
 */
export function createIndexStatisticsKernel(): IndexStatistics | undefined {
  const kernel = instantiateKernel<StatisticsExports>([STATISTICS_WASM], ALIGNMENT, MOST_BYTES);
  if (kernel === undefined) return undefined;
  const { exports, memory } = kernel;
  return {
    countMagnitudes(trellis, matrix, counts = emptyCounts(quantizersOf(trellis))) {
      const rawBits = rawBitsOfClasses(quantizersOf(trellis));
      const { rows, columns } = matrix.scales;
      const [indices, rowsAt, columnsAt, rawBitsAt, countsAt, transitions] = copyIn(
        memory,
        [longestDiagonal(matrix), rows, columns, rawBits, counts, trellis.transitions],
      );
      forEachRun(memory, matrix, indices, (length, state, row, column) =>
        exports.countMagnitudes(
          length,
          state,
          indices,
          rowsAt + 4 * row,
          columnsAt + 4 * column,
          rawBitsAt,
          countsAt,
          transitions,
        ));
      counts.set(new Float64Array(memory.buffer, countsAt, counts.length));
      return counts;
    },
    axisCosts(trellis, matrix, { bits }, axis) {
      const { rows, columns } = matrix.scales;
      const sums = new Float64Array(AXIS_SUMS * matrix.scales[axis].length);
      const [indices, rowsAt, columnsAt, sumsAt, bitsAt, transitions] = copyIn(
        memory,
        [longestDiagonal(matrix), rows, columns, sums, bits, trellis.transitions],
      );
      const step = axis === "rows" ? SUMS_BYTES : -SUMS_BYTES;
      forEachRun(memory, matrix, indices, (length, state, row, column) =>
        exports.addCosts(
          length,
          state,
          indices,
          rowsAt + 4 * row,
          columnsAt + 4 * column,
          sumsAt + SUMS_BYTES * (axis === "rows" ? row : column),
          step,
          bitsAt,
          transitions,
        ));
      sums.set(new Float64Array(memory.buffer, sumsAt, sums.length));
      return sums;
    },
  };
}

/** Copies arrays to the kernel's memory, which grows where it must; gives their places. */
function copyIn<const Arrays extends readonly Values[]>(
  memory: WebAssembly.Memory,
  arrays: Arrays,
): { [Index in keyof Arrays]: number } {
  let end = ALIGNMENT;
  const places = arrays.map(({ byteLength }) => {
    const place = end;
    end += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    return place;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  const bytes = new Uint8Array(memory.buffer);
  arrays.forEach(({ buffer, byteOffset, byteLength }, i) =>
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), places[i])
  );
  return places as { [Index in keyof Arrays]: number };
}

function longestDiagonal({ rows, columns }: IndexMatrix): Int32Array {
  return new Int32Array(Math.min(rows, columns));
}

/** Visits the anti-diagonals, the indices of each at `place`, with the state that `visit` returns. */
function forEachRun(
  memory: WebAssembly.Memory,
  matrix: IndexMatrix,
  place: number,
  visit: (length: number, state: number, row: number, column: number) => number,
): void {
  const indices = new Int32Array(memory.buffer, place);
  const read = indexReader(matrix.indices);
  forEachDiagonal(matrix, ({ row, column, length, position }, state) => {
    indices.set(read(position, length));
    return visit(length, state, row, column);
  });
}
