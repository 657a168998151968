import assert from "node:assert";
import { existsSync } from "node:fs";
import { InputError, openModel } from "../../data/mod.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { evaluateLanguageModel, type EvaluateOptions, evaluateOriginal } from "./evaluate.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { readStateDict } from "../weights/read_state_dict.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const config = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 2,
  n_positions: 256,
  vocab_size: 20,
};
const original = randomStateDict(config, 1);
const random = createRandom(5);
const tokens = Int32Array.from({ length: 2600 }, () => random.integer(20));

Deno.test("the numbers follow the protocol and do not depend on the number of workers", async () => {
  const compressed = randomStateDict(config, 2);
  const options = { config, original, compressed, tokens, contextLength: 128, bosTokenId: 7 };
  const shares: number[] = [];
  const one = await evaluateLanguageModel({
    ...options,
    threads: 1,
    onProgress: (share) => shares.push(share),
  });
  const two = await evaluateLanguageModel({ ...options, threads: 2 });
  assert.deepEqual(one, two);
  assert.deepEqual(shares, [1 / 3, 2 / 3, 1]);
  assert.equal(one.chunks, 20);
  assert.equal(one.tokens, 20 * 63);
  const expected = await referenceScores(options);
  assert.ok(Math.abs(Math.log(one.perplexity.original) - expected.original) < 1e-6);
  assert.ok(Math.abs(Math.log(one.perplexity.compressed!) - expected.compressed) < 1e-6);
  assert.ok(Math.abs(one.klDivergence!.mean - expected.klDivergence) < 1e-6);
  assert.ok(one.klDivergence!.p999 > one.klDivergence!.mean);
  assert.ok(one.sameTop1!.share > 0 && one.sameTop1!.share < 1);
  const difference = expected.compressed - expected.original;
  assert.ok(Math.abs(Math.log(one.perplexityRatio!.value) - difference) < 1e-6);
  assert.ok(Math.abs(one.rmsProbabilityChange!.value - expected.rmsChange) < 1e-6);
});

/** Mean figures computed from the definition: softmax, log, sum. */
async function referenceScores({ tokens, contextLength, bosTokenId, ...dicts }: EvaluateOptions) {
  await useBackend("wasm");
  const models = [dicts.original, dicts.compressed!].map((d) => createLanguageModel(config, d));
  const text = [bosTokenId!, ...tokens];
  const size = contextLength!;
  const sums = { original: 0, compressed: 0, klDivergence: 0, squares: 0 };
  const chunks = Math.floor(text.length / size);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const ids = Int32Array.from(text.slice(chunk * size, (chunk + 1) * size));
    ids[0] = bosTokenId!;
    const [p, q] = models.map((model) => model.logits(ids).reshape([size, 20]).softmax());
    const [pRows, qRows] = [p!.arraySync() as number[][], q!.arraySync() as number[][]];
    for (let at = size / 2; at < size - 1; at++) {
      sums.original -= Math.log(pRows[at]![ids[at + 1]!]!);
      sums.compressed -= Math.log(qRows[at]![ids[at + 1]!]!);
      sums.squares += (pRows[at]![ids[at + 1]!]! - qRows[at]![ids[at + 1]!]!) ** 2;
      pRows[at]!.forEach((value, i) => {
        sums.klDivergence += value * Math.log(value / qRows[at]![i]!);
      });
    }
  }
  const count = chunks * (size / 2 - 1);
  return {
    original: sums.original / count,
    compressed: sums.compressed / count,
    klDivergence: sums.klDivergence / count,
    rmsChange: Math.sqrt(sums.squares / count),
  };
}

Deno.test("a model does not diverge from itself", async () => {
  const result = await evaluateLanguageModel({
    config,
    original,
    compressed: original,
    tokens: tokens.subarray(0, 300),
    contextLength: 64,
    threads: 1,
  });
  assert.ok(result.klDivergence!.p999 < 1e-12);
  assert.equal(result.sameTop1!.share, 1);
  assert.equal(result.perplexity.original, result.perplexity.compressed);
});

Deno.test("a base evaluation spares the original and changes nothing", async () => {
  const options = { config, original, tokens: tokens.subarray(0, 700), threads: 1 };
  const lengths = { protocol: "huggingface", contextLength: 64, stride: 48 } as const;
  const { result, base } = await evaluateOriginal({ ...options, ...lengths });
  const compressed = randomStateDict(config, 2);
  const expected = await evaluateLanguageModel({ ...options, ...lengths, compressed });
  assert.equal(result.perplexity.original, expected.perplexity.original);
  const found = await evaluateLanguageModel({ ...options, ...lengths, compressed, base });
  assert.deepEqual(found, expected);
  await assert.rejects(
    evaluateLanguageModel({ ...options, compressed, base, contextLength: 32 }),
    /base was evaluated on another text/,
  );
});

Deno.test("pseudo-perplexity masks one token at a time", async () => {
  const config = {
    model_type: "distilbert",
    architectures: ["DistilBertForMaskedLM"],
    dim: 8,
    hidden_dim: 16,
    n_heads: 2,
    n_layers: 2,
    max_position_embeddings: 16,
    vocab_size: 20,
  };
  const original = randomStateDict(config, 3);
  const special = { bosTokenId: 1, eosTokenId: 2, maskTokenId: 0 };
  const { perplexity, chunks } = await evaluateLanguageModel({
    config,
    original,
    tokens: tokens.subarray(0, 15),
    contextLength: 12,
    threads: 1,
    ...special,
  });
  await useBackend("wasm");
  const model = createLanguageModel(config, original);
  let loss = 0;
  for (let at = 0; at < 15; at++) {
    const first = at < 10 ? 0 : 10;
    const ids = [1, ...tokens.subarray(first, Math.min(15, first + 10)), 2];
    const label = ids.splice(1 + at - first, 1, 0)[0]!;
    const rows = model.logits(Int32Array.from(ids)).softmax().arraySync() as number[][][];
    loss -= Math.log(rows[0]![1 + at - first]![label]!);
  }
  assert.equal(chunks, 2);
  assert.ok(Math.abs(Math.log(perplexity.original) - loss / 15) < 1e-6);
});

Deno.test("unusable texts and contexts are refused", async () => {
  const rejects = (options: Partial<EvaluateOptions>, message: RegExp) =>
    assert.rejects(
      evaluateLanguageModel({ config, original, tokens, contextLength: 64, ...options }),
      (error) => error instanceof InputError && message.test(error.message),
    );
  await rejects({ tokens: new Int32Array(0) }, /text is empty/);
  await rejects({ tokens: new Int32Array(63) }, /63 tokens, but one chunk needs 64/);
  await rejects({ tokens: new Int32Array(62), bosTokenId: 1 }, /one chunk needs 63/);
  await rejects({ contextLength: 257 }, /longer than the model's 256/);
  await rejects({ tokens: new Int32Array(100).fill(20) }, /token id 20 at position 0/);
  await rejects({ contextLength: 2 }, /at least 4/);
});

Deno.test("an aborted evaluation rejects with the signal's reason", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = evaluateLanguageModel({
    config,
    original,
    tokens,
    contextLength: 128,
    threads: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await assert.rejects(running, reason);
  await assert.rejects(
    evaluateLanguageModel({ config, original, tokens, signal: AbortSignal.abort(reason) }),
    reason,
  );
});

const shared = new URL("../../../shared/", import.meta.url).pathname;

Deno.test({
  name: "perplexity of stories260K agrees with llama.cpp within 0.1 %",
  ignore: !existsSync(`${shared}models/stories260K`),
  async fn() {
    const source = await openModel(`${shared}models/stories260K`);
    const tokenizer = await source.tokenizer();
    const text = await Deno.readTextFile(`${shared}data/tinystories-eval.txt`);
    const { perplexity } = await evaluateLanguageModel({
      config: source.config,
      original: await readStateDict(source),
      tokens: tokenizer.encode(text),
      contextLength: 512,
      bosTokenId: tokenizer.bosTokenId!,
    });
    assert.ok(Math.abs(perplexity.original / 4.9392 - 1) < 0.001);
  },
});
