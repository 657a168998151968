import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { createFieldLevel } from "../levels/field_level.ts";
import { createTrellisLevel } from "../levels/trellis_level.ts";
import { CodingWorkers } from "../workers/coding_workers.ts";
import { ScratchArrays } from "./scratch_arrays.ts";

Deno.test("the array of a purpose is given again, unless another length is asked for", () => {
  const scratch = new ScratchArrays();
  const first = scratch.int8Array("indices 0", 5);
  assert.equal(scratch.int8Array("indices 0", 5), first);
  assert.notEqual(scratch.int8Array("indices 1", 5), first);
  assert.deepEqual(scratch.int8Array("indices 0", 6), new Int8Array(6));
});

Deno.test("coding at one step after another in the same arrays gives the same bytes", async () => {
  const random = createRandom(6);
  const matrices = [[40, 30], [9, 200]].map(([rows, columns], i) => {
    const data = Float32Array.from({ length: rows! * columns! }, () => random.normal());
    return { name: `w${i}`, rows: rows!, columns: columns!, data };
  });
  for (const threads of [1, 2]) {
    const workers = new CodingWorkers(threads);
    const encodeAt = async (step: number, scratch?: ScratchArrays) => {
      const context = { seed: 0, workers, ...(scratch && { scratch }) };
      const { output } = await createFieldLevel({ step }).encode(matrices, context);
      return (await createTrellisLevel({ states: 8, rateWeight: 0.1 }).encode(output, context))
        .encoded;
    };
    const scratch = new ScratchArrays();
    for (const step of [0.3, 0.05, 0.3]) {
      assert.deepEqual(await encodeAt(step, scratch), await encodeAt(step));
    }
    workers.close();
  }
});
