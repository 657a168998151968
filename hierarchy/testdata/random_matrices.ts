import { createRandom } from "../../kan/numeric/random.ts";
import type { Matrix } from "../matrix/matrix.ts";

/** Normal matrices of some rows and columns; every other one, from the first on, has a metric. */
export function randomMatrices(sizes: readonly (readonly [number, number])[]): Matrix[] {
  const random = createRandom(4);
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  return sizes.map(([rows, columns], i) => {
    const metric = {
      rowWeights: new Float64Array(rows).fill(1),
      columnWeights: new Float64Array(columns).fill(1),
      feedback: normal(rows * (rows - 1) / 2).map((value) => value / 10),
    };
    const data = normal(rows * columns).map((value) => 4 * value);
    return { name: `w${i}`, rows, columns, data, ...(i % 2 ? {} : { metric }) };
  });
}
