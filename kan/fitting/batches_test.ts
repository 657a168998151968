import assert from "node:assert";
import { samplesFrom } from "../engine/evaluate.ts";
import { createRandom } from "../numeric/random.ts";
import { drawBatches } from "./batches.ts";

const rows = Array.from({ length: 10 }, (_, i) => [i, -i]);
const data = { inputs: samplesFrom(rows), targets: samplesFrom(rows.map(([x]) => [2 * x!])) };

Deno.test("a pass sees every sample once, targets beside their inputs", () => {
  const batches = drawBatches(data, 5, createRandom(1));
  for (let pass = 0; pass < 3; pass++) {
    const seen = [batches.next(), batches.next()].flatMap(({ inputs, targets }) => {
      assert.deepEqual(Array.from(targets.data), [0, 2, 4, 6, 8].map((at) => 2 * inputs.data[at]!));
      return [0, 2, 4, 6, 8].map((at) => inputs.data[at]!);
    });
    assert.deepEqual(seen.toSorted(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
});

Deno.test("a sample has as many rows as asked for, none twice, and does not move the batches", () => {
  const one = drawBatches(data, 3, createRandom(1)), two = drawBatches(data, 3, createRandom(1));
  const { rows, data: values } = one.sample(4);
  assert.equal(rows, 4);
  assert.equal(new Set([0, 2, 4, 6].map((at) => values[at])).size, 4);
  assert.deepEqual(one.next(), two.next());
  assert.equal(one.sample(Infinity), data.inputs);
  assert.equal(drawBatches(data, undefined, createRandom(1)).next(), data);
});
