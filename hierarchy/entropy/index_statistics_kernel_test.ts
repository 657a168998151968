import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { classCosts } from "./class_costs.ts";
import { indexStatistics } from "./index_statistics.ts";
import { symbolCosts } from "./symbol_costs.ts";
import { laplacianModel, symbolTables } from "./symbol_model.ts";
import { createTrellis } from "../scan/trellis.ts";
import { createIndexStatisticsKernel } from "./index_statistics_kernel.ts";

const kernel = createIndexStatisticsKernel()!;

/** Indices of all sizes, some beyond those with costs of their own, in rows of all scales. */
function randomIndices(rows: number, columns: number, seed: number) {
  const random = createRandom(seed);
  const integers = (length: number, size: number) =>
    Int32Array.from({ length }, () => Math.round(size * random.normal()));
  const indices = integers(rows * columns, 3).map((k, i) => i % 17 === 0 ? 500 * k : k);
  return {
    rows,
    columns,
    indices,
    scales: { rows: integers(rows, 60), columns: integers(columns, 9) },
  };
}

Deno.test("the kernel sums up what the reference sums up, to the bit", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 90 }),
      fc.constantFrom(1, 4, 256),
      fc.nat(1000),
      (rows, columns, states, seed) => {
        const matrix = randomIndices(rows, columns, seed), trellis = createTrellis(states);
        const counts = kernel.countMagnitudes(trellis, matrix);
        assert.deepEqual(counts, indexStatistics.countMagnitudes(trellis, matrix));
        kernel.countMagnitudes(trellis, matrix, counts);
        assert.equal(counts.reduce((sum, count) => sum + count), 2 * rows * columns);
        const tables = symbolTables(laplacianModel(states === 1 ? 1 : 2));
        const costs = classCosts(symbolCosts(tables));
        for (const axis of ["rows", "columns"] as const) {
          assert.deepEqual(
            kernel.axisCosts(trellis, matrix, costs, axis),
            indexStatistics.axisCosts(trellis, matrix, costs, axis),
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});
