import type { Multiply } from "../drift_sums.ts";

/** Products by the definition. */
export const plainMultiply: Multiply = (a, b, { rows, depth, columns }) =>
  Promise.resolve(Float32Array.from({ length: rows * columns }, (_, at) => {
    const i = Math.floor(at / columns), j = at % columns;
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += a[i * depth + k]! * b[k * columns + j]!;
    return sum;
  }));
