import { CLASS_COUNT, STATE_COUNTS } from "../format/constants.ts";
import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { symbolCosts } from "../entropy/symbol_costs.ts";
import { laplacianModel, symbolTables } from "../entropy/symbol_model.ts";
import { createPathSearch, LONGEST_PATH, type PathSearch } from "./path_search.ts";
import { createTrellis, trellisOfCode } from "../scan/trellis.ts";
import { createPathSearchKernel } from "./path_search_kernel.ts";

/** Candidate costs and distinct indices for a path, then the path itself and where it ends. */
function findPath(search: PathSearch, costs: Float32Array, startState: number) {
  search.costs.set(costs);
  search.candidates.set(Int32Array.from(costs, (_, i) => i));
  const indices = new Int32Array(costs.length / 4), levels = new Float32Array(indices.length);
  return { last: search.find(startState, indices, levels), indices, levels };
}

const trellises = [
  ...STATE_COUNTS.slice(1).map((states) => ({ states, code: "", trellis: createTrellis(states) })),
  // Those with other low bits of their checks, which no file has.
  ...[0o46, 0o70, 0o22].map((check) => {
    const trellis = trellisOfCode(64, [0o107, check]);
    return { states: 64, code: ` of the code ${check}`, trellis };
  }),
];

for (const { states, code, trellis } of trellises) {
  const kernel = createPathSearchKernel(trellis)!;
  const reference = createPathSearch(trellis);

  Deno.test(`the kernel finds the reference's paths, ${states} states${code}`, () => {
    const random = createRandom(states);
    for (const length of [1, 63, 64, 65, 1000, states <= 16 ? LONGEST_PATH : 2000]) {
      const costs = Float32Array.from({ length: 4 * length }, () => random.normal() ** 2);
      const start = Math.floor(random.uniform() * states);
      assert.deepEqual(findPath(kernel, costs, start), findPath(reference, costs, start));
    }
  });

  Deno.test(`the kernel breaks ties as the reference does, ${states} states${code}`, () => {
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

const rateTable = symbolCosts(symbolTables(laplacianModel(2)));
const float = fc.oneof(
  fc.float({ min: -8, max: 8, noNaN: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.5, 1, 1.5, -2.5, 1023, 2 ** 24 + 2, 2 ** 28, -1e30),
);

Deno.test("the kernel finds the reference's candidates", () => {
  const trellis = createTrellis(8);
  const searches = [createPathSearch(trellis), createPathSearchKernel(trellis)!] as const;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(float, fc.nat(CLASS_COUNT - 1)), { minLength: 1, maxLength: 70 }),
      fc.option(fc.constantFrom(0, 0.05, 0.36, 10)),
      (values, rateWeight) => {
        const targets = Float32Array.from(values, ([target]) => target);
        const classes = Uint8Array.from(values, ([, index]) => index);
        const rate = rateWeight === null ? undefined : { rateWeight, costs: rateTable, classes };
        const [expected, actual] = searches.map((search) => {
          search.prepare(targets, rate);
          const end = 4 * targets.length;
          return [search.costs.slice(0, end), search.candidates.slice(0, end)];
        });
        assert.deepEqual(actual, expected);
      },
    ),
    { numRuns: 500 },
  );
});
