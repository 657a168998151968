import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/random.ts";
import { createPathSearch, LONGEST_PATH, type PathSearch } from "../quantize/path_search.ts";
import { createTrellis, STATE_COUNTS } from "../quantize/trellis.ts";
import { createPathSearchKernel } from "./path_search_kernel.ts";

/** Candidate costs and distinct indices for a path, then the path itself and where it ends. */
function findPath(search: PathSearch, costs: Float32Array, startState: number) {
  search.costs.set(costs);
  search.candidates.set(Int32Array.from(costs, (_, i) => i));
  const indices = new Int32Array(costs.length / 4);
  return { last: search.find(startState, indices), indices };
}

for (const states of STATE_COUNTS.slice(1)) {
  const trellis = createTrellis(states);
  const kernel = createPathSearchKernel(trellis)!;
  const reference = createPathSearch(trellis);

  Deno.test(`the kernel finds the reference's paths, ${states} states`, () => {
    const random = createRandom(states);
    for (const length of [1, 63, 64, 65, 1000, states <= 16 ? LONGEST_PATH : 2000]) {
      const costs = Float32Array.from({ length: 4 * length }, () => random.normal() ** 2);
      const start = Math.floor(random.uniform() * states);
      assert.deepEqual(findPath(kernel, costs, start), findPath(reference, costs, start));
    }
  });

  Deno.test(`the kernel breaks ties as the reference does, ${states} states`, () => {
    const cost = fc.constantFrom(0, 0.25, 1, 1 + 2 ** -23, 1e30, Infinity);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cost, cost, cost, cost), { minLength: 1, maxLength: 200 }),
        fc.nat(states - 1),
        (steps, start) => {
          const costs = Float32Array.from(steps.flat());
          assert.deepEqual(findPath(kernel, costs, start), findPath(reference, costs, start));
        },
      ),
      { numRuns: 50 },
    );
  });
}
