import assert from "node:assert";
import fc from "fast-check";
import { join } from "node:path";
import { openModel } from "../../data/mod.ts";
import { planCalibration, spread } from "./calibration.ts";
import { readFiniteWeights } from "../input/original_model.ts";
import { TEXT, withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("spread() takes whole chunks from all over the text", () => {
  const tokens = Int32Array.from({ length: 100 }, (_, i) => i);
  assert.deepEqual([...spread(tokens, 20, 10)], [
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ...[50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
  ]);
  assert.equal(spread(tokens, 1000, 10), tokens);
});

Deno.test("spread() keeps to its limit, but for a single chunk", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 1, max: 50 }), (n, limit, c) => {
      const { length } = spread(new Int32Array(n), limit, c);
      assert.ok(length <= Math.max(limit, c) || length === n);
      assert.ok(length <= n);
    }),
  );
});

Deno.test("a data set is calibrated on by its texts, as it is measured by them", () =>
  withWorkFolder(async (folder) => {
    const source = await openModel(join(folder, "model"));
    const weights = await readFiniteWeights(source);
    const model = { source, weights, sha256: "", embedded: false, local: true };
    const plan = (name: string) =>
      planCalibration(model, {
        calibration: join(folder, name),
        backend: "cpu",
        threads: 1,
        seed: 0,
      });
    const texts = [TEXT, "A second text."];
    await Deno.writeTextFile(join(folder, "joined.txt"), texts.join("\n\n"));
    const lines = texts.map((text) => JSON.stringify({ meta: { id: 1 }, text }));
    await Deno.writeTextFile(join(folder, "set.jsonl"), lines.join("\n"));
    assert.deepEqual(await plan("set.jsonl"), await plan("joined.txt"));
    await Deno.writeTextFile(join(folder, "set.jsonl"), '{"story": "x"}');
    await assert.rejects(
      plan("set.jsonl"),
      /set.jsonl: record 1 has no field text; give another --calibration/,
    );
  }));
