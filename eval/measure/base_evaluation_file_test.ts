import assert from "node:assert";
import { join } from "node:path";
import { readBaseEvaluation, writeBaseEvaluation } from "./base_evaluation_file.ts";

Deno.test("a base evaluation survives its file, and no other passes for it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "base.safetensors");
    assert.equal(await readBaseEvaluation(path, "k", "f"), undefined);
    const states = Array.from({ length: 12 }, (_, i) => Float32Array.of(i, 1 / 3));
    await writeBaseEvaluation(path, "k", { fingerprint: "f", states });
    assert.deepEqual(await readBaseEvaluation(path, "k", "f"), { fingerprint: "f", states });
    assert.equal(await readBaseEvaluation(path, "other", "f"), undefined);
    assert.equal(await readBaseEvaluation(path, "k", "other"), undefined);
    await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    assert.equal(await readBaseEvaluation(path, "k", "f"), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
