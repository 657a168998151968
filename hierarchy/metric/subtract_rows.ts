import { triangleStart } from "../matrix/triangle.ts";

/** Rows from the first to before the second number. */
export type RowRange = readonly [start: number, end: number];

/**
 * Subtracts from rows `to` of a lower triangle (see `triangleStart`) what rows `from`, all after
 * them, hold: T_ji -= Σ_k T_kj T_ki.
 */
export type SubtractRows = (triangle: Float64Array, from: RowRange, to: RowRange) => void;

/**
 * {@linkcode SubtractRows} in plain TypeScript, for each element in the order of `from`: the
 * reference that the WebAssembly kernel equals bit for bit.
 */
export const subtractRows: SubtractRows = (triangle, [fromStart, fromEnd], [toStart, toEnd]) => {
  for (let j = toStart; j < toEnd; j++) {
    const target = triangleStart(j);
    for (let k = fromStart; k < fromEnd; k++) {
      const source = triangleStart(k);
      const weight = triangle[source + j]!;
      for (let i = 0; i <= j; i++) {
        triangle[target + i] = triangle[target + i]! - weight * triangle[source + i]!;
      }
    }
  }
};
