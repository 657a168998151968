import { transpose } from "../../data/transpose.ts";
import { lowerTriangle, triangleStart } from "../../hierarchy/matrix/triangle.ts";
import type { RowRange } from "../../hierarchy/metric/subtract_rows.ts";
import { factorTriangle } from "../../hierarchy/metric/upper_factor.ts";
import type { Multiply } from "./drift_sums.ts";

/** Rows that are solved together. */
const BLOCK = 64;

/**
 * X of (H + λ I) X = B, row-major, for a positive semidefinite H of `size` rows and a B of as many
 * rows and `columns` columns; λ is `damping` times the mean of H's diagonal. H is factored in float64;
 * the rest is products in float32.
 */
export async function solveDamped(
  moment: Float64Array,
  b: Float64Array,
  { size, columns, damping }: {
    readonly size: number;
    readonly columns: number;
    readonly damping: number;
  },
  multiply: Multiply,
): Promise<Float32Array> {
  // H + λ I = U Uᵀ, of which row k of Uᵀ begins at `triangleStart(k)`.
  const triangle = lowerTriangle(moment, size);
  factorTriangle(triangle, size, damping);
  const x = Float32Array.from(b);
  const rowsOf = ([start, end]: RowRange) => x.subarray(start * columns, end * columns);
  const starts = Array.from({ length: Math.ceil(size / BLOCK) }, (_, i) => i * BLOCK);
  const blocks = starts.map((start): RowRange => [start, Math.min(size, start + BLOCK)]);
  /** Solves a block, given those whose rows are known. */
  const solve = async (
    block: RowRange,
    known: RowRange,
    factor: Float32Array,
    inverse: Float32Array,
  ) => {
    const rows = block[1] - block[0], depth = known[1] - known[0];
    const wanted = rowsOf(block);
    if (depth > 0) {
      const product = await multiply(factor, rowsOf(known), { rows, depth, columns });
      for (let at = 0; at < wanted.length; at++) wanted[at] = wanted[at]! - product[at]!;
    }
    wanted.set(await multiply(inverse, wanted, { rows, depth: rows, columns }));
  };
  const inverses = blocks.map((block) => inverseBlock(triangle, block));
  // U Y = B, from the last rows to the first; Uᵀ X = Y, from the first to the last.
  for (const [i, block] of [...blocks.entries()].toReversed()) {
    await solve(block, [block[1], size], columnsAfter(triangle, block, size), inverses[i]!);
  }
  for (const [i, block] of blocks.entries()) {
    const [start, end] = block;
    const inverse = transpose(inverses[i]!, end - start, end - start);
    await solve(block, [0, start], columnsBefore(triangle, block), inverse);
  }
  return x;
}

/** The inverse of a diagonal block of U. */
function inverseBlock(triangle: Float64Array, [start, end]: RowRange): Float32Array {
  const size = end - start;
  const inverse = new Float64Array(size * size);
  for (let j = 0; j < size; j++) {
    for (let i = j; i >= 0; i--) {
      let sum = i === j ? 1 : 0;
      for (let k = i + 1; k <= j; k++) {
        sum -= triangle[triangleStart(start + k) + start + i]! * inverse[k * size + j]!;
      }
      inverse[i * size + j] = sum / triangle[triangleStart(start + i) + start + i]!;
    }
  }
  return Float32Array.from(inverse);
}

/** Of rows of U, what is right of the diagonal block. */
function columnsAfter(triangle: Float64Array, [start, end]: RowRange, size: number): Float32Array {
  const width = size - end;
  const part = new Float32Array((end - start) * width);
  for (let k = end; k < size; k++) {
    const first = triangleStart(k);
    for (let i = start; i < end; i++) part[(i - start) * width + k - end] = triangle[first + i]!;
  }
  return part;
}

/** Of rows of Uᵀ, what is left of the diagonal block. */
function columnsBefore(triangle: Float64Array, [start, end]: RowRange): Float32Array {
  const part = new Float32Array((end - start) * start);
  for (let k = start; k < end; k++) {
    const first = triangleStart(k);
    part.set(triangle.subarray(first, first + start), (k - start) * start);
  }
  return part;
}
