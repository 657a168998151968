import { lowerTriangle, triangleStart } from "../../hierarchy/matrix/triangle.ts";
import { factorTriangle } from "../../hierarchy/metric/upper_factor.ts";
import type { Multiply } from "./drift_engine.ts";

/** Rows that are solved together; what is left of the work is products. */
const BLOCK = 128;

/**
 * X of (H + λ I) X = B, row-major, for a positive semidefinite H of `size` rows and a B of as many
 * rows and `columns` columns; λ is `damping` times the mean of H's diagonal. Products are in float32.
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
): Promise<Float64Array> {
  // H + λ I = U Uᵀ, of which row k of Uᵀ begins at `triangleStart(k)`.
  const triangle = lowerTriangle(moment, size);
  factorTriangle(triangle, size, damping);
  const x = b.slice();
  const row = (i: number) => x.subarray(i * columns, (i + 1) * columns);
  const block = (start: number) => ({ start, end: Math.min(size, start + BLOCK) });
  const starts = Array.from({ length: Math.ceil(size / BLOCK) }, (_, i) => i * BLOCK);
  // U Y = B, from the last rows to the first.
  for (const { start, end } of starts.map(block).reverse()) {
    for (let k = end - 1; k >= start; k--) {
      const first = triangleStart(k);
      scale(row(k), 1 / triangle[first + k]!);
      for (let i = start; i < k; i++) addTimes(row(i), row(k), -triangle[first + i]!);
    }
    if (start === 0) break;
    const factor = new Float32Array(start * (end - start));
    for (let k = start; k < end; k++) {
      const first = triangleStart(k);
      for (let i = 0; i < start; i++) factor[i * (end - start) + k - start] = triangle[first + i]!;
    }
    const solved = Float32Array.from(x.subarray(start * columns, end * columns));
    const known = await multiply(factor, solved, { rows: start, depth: end - start, columns });
    for (let at = 0; at < known.length; at++) x[at] = x[at]! - known[at]!;
  }
  // Uᵀ X = Y, from the first rows to the last.
  for (const { start, end } of starts.map(block)) {
    if (start > 0) {
      const factor = new Float32Array((end - start) * start);
      for (let k = start; k < end; k++) {
        const first = triangleStart(k);
        factor.set(triangle.subarray(first, first + start), (k - start) * start);
      }
      const solved = Float32Array.from(x.subarray(0, start * columns));
      const known = await multiply(factor, solved, { rows: end - start, depth: start, columns });
      for (let at = 0; at < known.length; at++) {
        x[start * columns + at] = x[start * columns + at]! - known[at]!;
      }
    }
    for (let k = start; k < end; k++) {
      const first = triangleStart(k);
      for (let i = start; i < k; i++) addTimes(row(k), row(i), -triangle[first + i]!);
      scale(row(k), 1 / triangle[first + k]!);
    }
  }
  return x;
}

function addTimes(to: Float64Array, from: Float64Array, factor: number): void {
  for (let j = 0; j < to.length; j++) to[j]! += factor * from[j]!;
}

function scale(values: Float64Array, factor: number): void {
  for (let j = 0; j < values.length; j++) values[j]! *= factor;
}
