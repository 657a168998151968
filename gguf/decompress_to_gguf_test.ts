import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { decompressToGguf } from "./decompress_to_gguf.ts";
import { planGguf } from "./plan_gguf.ts";
import { ggufConfigs, letters, sourceOf } from "./testdata/model_configs.ts";

const config = ggufConfigs["llama"]!;

async function compressed(preset: "rate" | "hybrid", withConfig = true): Promise<Uint8Array> {
  const compressor = new HierarchicalCompressor({ preset, bits: preset === "rate" ? 8 : 14 });
  const { bytes } = await compressor.compress(
    randomStateDict(config, 4),
    withConfig ? { config } : {},
  );
  return bytes;
}

for (const preset of ["rate", "hybrid"] as const) {
  Deno.test(`a stream of a file of preset ${preset} becomes the GGUF file of its weights`, async () => {
    const bytes = await compressed(preset);
    const tokenizer = letters(80);
    const shares: number[] = [];
    const file = await decompressToGguf(
      ReadableStream.from([bytes.subarray(0, 99), bytes.subarray(99)]),
      "q8_0",
      { tokenizer, onProgress: (share) => shares.push(share) },
    );
    const weights = sourceOf(await decompressWeights(bytes));
    const plan = planGguf({ config, weights, tokenizer }, "q8_0");
    const expected = await new Blob(await Array.fromAsync(plan.chunks()) as BlobPart[])
      .arrayBuffer();
    assert.deepEqual(await file.arrayBuffer(), expected);
    assert.ok(shares.length > 5 && shares.every((share, i) => share >= (shares[i - 1] ?? 0)));
  });
}

Deno.test("what cannot become a GGUF file is said, and the work can be stopped", async () => {
  const bytes = await compressed("rate", false);
  await assert.rejects(
    decompressToGguf(bytes),
    (error) => error instanceof InputError && /has no config; give/.test(error.message),
  );
  assert.ok((await decompressToGguf(bytes, "f16", { config })).size > 1000);
  const notes: string[] = [];
  await decompressToGguf(bytes, "q4_k", { config, onNote: (note) => notes.push(note) });
  assert.ok(notes.some((note) => note.includes("no whole blocks of Q4_K")), notes.join());
  const stopped = decompressToGguf(bytes, "f16", { config, signal: AbortSignal.abort() });
  await assert.rejects(stopped, { name: "AbortError" });
});
