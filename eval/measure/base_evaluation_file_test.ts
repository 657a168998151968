import assert from "node:assert";
import { join } from "node:path";
import { InputError } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { readBaseEvaluation, writeBaseEvaluation } from "./base_evaluation_file.ts";

Deno.test("a base evaluation survives its file, and no other passes for it", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "base.safetensors");
  const wanted = { key: "k", fingerprint: "f", values: 24 };
  assert.equal(await readBaseEvaluation(path, wanted), undefined);
  const states = Array.from({ length: 12 }, (_, i) => Float32Array.of(i, 1 / 3));
  await writeBaseEvaluation(path, "k", { fingerprint: "f", states });
  assert.deepEqual(await readBaseEvaluation(path, wanted), { fingerprint: "f", states });
  assert.equal(await readBaseEvaluation(path, { ...wanted, key: "other" }), undefined);
  assert.equal(await readBaseEvaluation(path, { ...wanted, fingerprint: "other" }), undefined);
  await assert.rejects(readBaseEvaluation(path, { ...wanted, values: 23 }), /of something else/);
  // One bit of one state, and one of the name of another.
  const whole = await Deno.readFile(path);
  const name = new TextDecoder("latin1").decode(whole).indexOf('"11"');
  for (const at of [whole.length - 2, name + 2]) {
    const damaged = whole.slice();
    damaged[at]! ^= 1;
    await Deno.writeFile(path, damaged);
    await assert.rejects(readBaseEvaluation(path, wanted), /base.safetensors: .*damaged/);
  }
  await Deno.writeFile(path, whole.slice(0, -1));
  await assert.rejects(readBaseEvaluation(path, wanted), InputError);
  const lost = states.map((state) => state.map(() => NaN));
  await writeBaseEvaluation(path, "k", { fingerprint: "f", states: lost });
  await assert.rejects(readBaseEvaluation(path, wanted), /of something else/);
});
