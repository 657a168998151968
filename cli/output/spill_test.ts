import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";
import { openSpill } from "./spill.ts";

Deno.test("values come back from the file as they were, as often as they are read", () =>
  withWorkFolder((folder) => {
    const float = fc.float({ noNaN: true });
    fc.assert(fc.property(fc.array(fc.array(float)), (lists) => {
      using spill = openSpill(folder);
      const reads = lists.map((values) => spill.keep(Float32Array.from(values)));
      for (const index of [...lists.keys()].toReversed()) {
        for (let time = 0; time < 2; time++) {
          assert.deepEqual(reads[index]!(), Float32Array.from(lists[index]!));
        }
      }
    }));
    assert.ok(!existsSync(join(folder, "values")));
    return Promise.resolve();
  }));

Deno.test("a part of an array is kept without the rest", () =>
  withWorkFolder((folder) => {
    using spill = openSpill(folder);
    const read = spill.keep(Float32Array.of(1, 2, 3, 4).subarray(1, 3));
    assert.deepEqual(read(), Float32Array.of(2, 3));
    return Promise.resolve();
  }));

Deno.test("a folder that is not there is an error that names the file", () => {
  assert.throws(
    () => openSpill("/nowhere/at/all"),
    (error) => error instanceof InputError && /nowhere/.test(error.message),
  );
});
