import assert from "node:assert";
import { join } from "node:path";
import { readBaseEvaluation, writeBaseEvaluation } from "./base_evaluation_file.ts";
import { weightsDigest } from "./weights_digest.ts";

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

Deno.test("weightsDigest() sees names, shapes and values", async () => {
  const digest = (name: string, shape: number[], value: number) =>
    weightsDigest(new Map([[name, { dtype: "F32", shape, data: Float32Array.of(0, value) }]]));
  const digests = await Promise.all([
    digest("a", [2], 1),
    digest("b", [2], 1),
    digest("a", [1, 2], 1),
    digest("a", [2], 2),
  ]);
  assert.equal(new Set(digests).size, 4);
  assert.equal(await digest("a", [2], 1), digests[0]);
});
