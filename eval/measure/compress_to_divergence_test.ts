import assert from "node:assert";
import { InputError } from "../../data/mod.ts";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { compressToDivergence } from "./compress_to_divergence.ts";
import { evaluateLanguageModel } from "./evaluate.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const config = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 2,
  n_positions: 64,
  vocab_size: 50,
};
const original = randomStateDict(config, 1);
const random = createRandom(5);
const tokens = Int32Array.from({ length: 512 }, () => random.integer(50));
const model = { config, original, tokens, contextLength: 64, threads: 1 };

Deno.test("the divergence ends within 5 % below its target, and what is looser is smaller", async () => {
  const sizes: number[] = [];
  for (const maxDivergence of [0.003, 0.05]) {
    const shares: number[] = [];
    const { compressed, base } = await compressToDivergence({
      ...model,
      maxDivergence,
      compressor: { effort: "fast", onProgress: (_, share) => shares.push(share) },
    });
    const restored = await decompressWeights(compressed);
    const { klDivergence } = await evaluateLanguageModel({ ...model, compressed: restored, base });
    assert.ok(klDivergence!.mean <= maxDivergence, `${klDivergence!.mean}`);
    assert.ok(klDivergence!.mean >= 0.95 * maxDivergence, `${klDivergence!.mean}`);
    assert.deepEqual(shares, shares.toSorted((a, b) => a - b), "progress went back");
    sizes.push(compressed.bytes.length);
  }
  assert.ok(sizes[1]! < 0.9 * sizes[0]!, `${sizes}`);
});

Deno.test("a divergence that cannot be reached ends with the least that can", async () => {
  const asked = compressToDivergence({ ...model, maxDivergence: 1e-11 });
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof InputError);
    return /1e-11 cannot be reached; the least found is \S+, at \d\d\.\d\d bits/.test(
      error.message,
    );
  });
});

Deno.test("a target in divergence excludes one in size", async () => {
  const options = { ...model, maxDivergence: 0.1, compressor: { bits: 4 } };
  await assert.rejects(compressToDivergence(options), /give one target/);
  for (const maxDivergence of [0, -1, NaN]) {
    await assert.rejects(compressToDivergence({ ...model, maxDivergence }), InputError);
  }
});
