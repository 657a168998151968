import assert from "node:assert";
import { assertNear } from "../../data/testdata/assert_near.ts";
import { pickRows } from "../../data/read_rows.ts";
import type { StateDict, WeightSource } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { evaluateLanguageModel } from "./evaluate.ts";
import { evaluateByLayer } from "./evaluate_by_layer.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const gpt2 = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 3,
  n_positions: 32,
  // More than one block of the head.
  vocab_size: 3500,
};
const distilBert = {
  model_type: "distilbert",
  architectures: ["DistilBertForMaskedLM"],
  dim: 16,
  hidden_dim: 24,
  n_heads: 2,
  n_layers: 2,
  max_position_embeddings: 16,
  vocab_size: 50,
};
// More than go through a layer at once.
const tokens = Int32Array.from({ length: 600 }, (_, i) => 11 * i % 50);

/** A source that notes which tensors are read, whole or in part. */
function sourceOf(weights: StateDict, reads: string[]): WeightSource {
  return {
    tensors: Array.from(weights, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read(name) {
      reads.push(name);
      return Promise.resolve(weights.get(name)!);
    },
    readRows(name, rows) {
      reads.push(`${rows.length} rows of ${name}`);
      return Promise.resolve(pickRows(weights.get(name)!, rows));
    },
  };
}

for (const config of [gpt2, distilBert] as ModelConfig[]) {
  Deno.test(`${config.model_type}: layer by layer the numbers are the same`, async () => {
    const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
    const special = { bosTokenId: 1, eosTokenId: 2, maskTokenId: 0 };
    const common = { config, tokens, contextLength: 16, ...special };
    const reads: string[] = [];
    const shares: number[] = [];
    const found = await evaluateByLayer({
      ...common,
      original: sourceOf(original, reads),
      compressed: sourceOf(compressed, []),
      onProgress: (share) => shares.push(share),
    });
    const expected = await evaluateLanguageModel({ ...common, original, compressed, threads: 1 });
    // Exponentials are summed up in another order.
    assertNear(found, expected, 1e-12);
    assert.equal(shares.at(-1), 1);
    // Everything once, but for the head, of which a block at a time is read in two rounds.
    const repeated = reads.filter((name, i) => reads.indexOf(name) !== i);
    assert.ok(
      repeated.every((name) => /rows of .*(wte|word_embeddings|vocab_projector)/.test(name)),
    );
    assert.ok(!reads.some((name) => /^[^ ]*(wte|word_embeddings|vocab_projector)/.test(name)));
  });
}

Deno.test("weights that do not fit the config are refused before they are read", async () => {
  const reads: string[] = [];
  const original = sourceOf(randomStateDict({ ...gpt2, n_embd: 8 }, 1), reads);
  await assert.rejects(evaluateByLayer({ config: gpt2, original, tokens }), /config.json asks for/);
  assert.deepEqual(reads, []);
});

for (const config of [gpt2, distilBert] as ModelConfig[]) {
  Deno.test({
    name: `${config.model_type}: layer by layer the numbers are the same on the native engine`,
    ...needsNative,
    async fn() {
      const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
      const special = { bosTokenId: 1, eosTokenId: 2, maskTokenId: 0 };
      const common = { config, tokens, contextLength: 16, backend: "native" as const, ...special };
      const reads: string[] = [];
      const shares: number[] = [];
      const found = await evaluateByLayer({
        ...common,
        original: sourceOf(original, reads),
        compressed: sourceOf(compressed, []),
        onProgress: (share) => shares.push(share),
      });
      const expected = await evaluateLanguageModel({ ...common, original, compressed });
      assert.deepEqual(found, expected);
      assert.equal(shares.at(-1), 1);
      // Everything once, but for a tied head, which is read as the embedding too.
      const repeated = reads.filter((name, i) => reads.indexOf(name) !== i);
      assert.ok(repeated.length <= 1, repeated.join());
    },
  });
}
