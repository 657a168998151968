import type { LinearDescription } from "../architectures/description.ts";
import type { Kernels } from "./kernels.ts";
import type { StoredWeights } from "./store.ts";
import { type Rows, type Scratch, TILE } from "./workspace.ts";

/** What multiplies: one thread's kernels and room, and the weights. */
export interface Multiplier {
  readonly kernels: Kernels;
  readonly weights: StoredWeights;
  readonly scratch: Scratch;
}

/** Outputs of a product that are computed, from the first to before the second. */
export type Range = readonly [start: number, end: number];

/** What becomes of a product. */
export interface ProductOptions {
  /** Adds it, times this, to what is there; replaces that if omitted. */
  readonly addTimes?: number;
}

/** Some outputs of x W + b for the first `count` rows of x. */
export function multiply(
  { kernels, weights, scratch }: Multiplier,
  linear: LinearDescription,
  [start, end]: Range,
  x: Rows,
  count: number,
  y: Rows,
  { addTimes }: ProductOptions = {},
): void {
  const matrix = weights.matrices.get(linear.weight)!;
  const bias = linear.bias === undefined ? 0 : weights.vectors.get(linear.bias)!;
  const [adds, factor] = addTimes === undefined ? [0, 1] : [1, addTimes];
  const { stride } = matrix;
  for (let first = 0; first < count; first += TILE) {
    const vectors = Math.min(TILE, count - first);
    const input = x.at + first * x.bytes;
    const output = y.at + first * y.bytes;
    if (matrix.form === "floats") {
      const { kind, at } = matrix;
      const { panel } = scratch;
      kernels.floats.setOutput(output, bias, adds, factor);
      const to = y.bytes;
      kernels.floats.multiplyFloats(
        kind,
        at,
        stride,
        start,
        end,
        input,
        x.bytes,
        vectors,
        to,
        panel,
      );
      continue;
    }
    const { vectors: scaled, integers, steps } = scratch;
    for (let i = 0; i < vectors; i++) {
      const to = scaled.at + i * scaled.bytes;
      kernels.multiplyVectors(input + i * x.bytes, matrix.columnFactors, stride, to);
      kernels.bytes.splitVector(to, stride, integers.at + i * integers.bytes, steps + 4 * i);
    }
    matrix.planes.forEach(({ at, factors }, plane) => {
      if (plane === 0) kernels.bytes.setOutput(output, bias, adds, factor);
      else kernels.bytes.setOutput(output, 0, 1, factor);
      const { at: from, bytes } = integers;
      kernels.bytes.multiplyBytes(
        at,
        factors,
        stride,
        start,
        end,
        from,
        bytes,
        steps,
        vectors,
        y.bytes,
      );
    });
    if (matrix.sparse === undefined) continue;
    const { starts, places, values } = matrix.sparse;
    const { factors } = matrix.planes[0]!;
    const { at: from, bytes } = scaled;
    kernels.bytes.addSparse(
      starts,
      places,
      values,
      factors,
      start,
      end,
      from,
      bytes,
      vectors,
      y.bytes,
    );
  }
}
