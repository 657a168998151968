import assert from "node:assert";
import { existsSync } from "node:fs";
import { InputError, openModel, type StateDict, type WeightTensor } from "../../data/mod.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel, type LanguageModel, loadLanguageModel } from "./language_model.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const fixtures = new URL("../../../shared/fixtures/", import.meta.url).pathname;

const supported = [
  "distilbert-classify-random",
  "distilbert-mlm-random",
  "gpt2-random",
  "gpt2-random-f16-sharded",
  "gptneox-random",
  "llama-random",
  "llama-random-bf16-ropescaled",
  "qwen2-random",
  "qwen3-random",
];

for (const name of supported) {
  Deno.test({
    name: `logits of ${name} agree with transformers`,
    ignore: !existsSync(fixtures),
    async fn() {
      await useBackend("wasm");
      const expected = JSON.parse(await Deno.readTextFile(`${fixtures}${name}/expected.json`));
      const model = await loadLanguageModel(await openModel(fixtures + name));
      const ids: number[][] = expected.input_ids;
      const reference: number[] = expected.logits;
      const found = logitsOf(model, Int32Array.from(ids.flat()), ids.length);
      assert.equal(found.length, reference.length);
      const largest = Math.max(...reference.map(Math.abs));
      const worst = Math.max(...reference.map((value, i) => Math.abs(value - found[i]!)));
      assert.ok(worst <= 1e-4 * largest, `${worst} of ${largest}`);
      model.dispose();
    },
  });
}

const config = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 2,
  n_positions: 12,
  vocab_size: 20,
};
const ids = Int32Array.of(3, 1, 4, 1, 5, 9);

function logitsOf(model: LanguageModel, ids: Int32Array, batch = 1): Float32Array {
  const logits = model.logits(ids, batch);
  const values = logits.dataSync<"float32">();
  logits.dispose();
  return values;
}

function rename(weights: StateDict, change: (name: string) => string): StateDict {
  return new Map(Array.from(weights, ([name, tensor]) => [change(name), tensor]));
}

function replaced(weights: StateDict, name: string, tensor: Partial<WeightTensor>): StateDict {
  return new Map([...weights, [name, { ...weights.get(name)!, ...tensor }]]);
}

Deno.test("names may lack the architecture's prefix, and buffers are ignored", async () => {
  await useBackend("wasm");
  const weights = randomStateDict(config, 1);
  const bare = new Map(rename(weights, (name) => name.replace("transformer.", "")));
  bare.set("h.0.attn.bias", { dtype: "F32", shape: [1], data: new Float32Array(1) });
  const model = createLanguageModel(config, bare);
  assert.deepEqual(logitsOf(model, ids), logitsOf(createLanguageModel(config, weights), ids));
  assert.ok(!model.stateDict().has("h.0.attn.bias"));
});

Deno.test("a sequence's logits do not depend on what else is in the batch or comes later", async () => {
  await useBackend("wasm");
  const model = createLanguageModel(config, randomStateDict(config, 1));
  const other = Int32Array.of(7, 7, 2, 0, 19, 8);
  const together = logitsOf(model, Int32Array.of(...other, ...ids), 2);
  assert.deepEqual(together.subarray(6 * 20), logitsOf(model, ids));
  const shorter = logitsOf(model, ids.subarray(0, 4));
  logitsOf(model, ids).subarray(0, 4 * 20).forEach((value, i) =>
    assert.ok(Math.abs(value - shorter[i]!) < 1e-5)
  );
});

Deno.test("numParameters() counts a tied tensor once", () => {
  const tied = createLanguageModel(config, randomStateDict(config, 1)).numParameters();
  // Embeddings, two layers of 12 n² + 13 n, and the last norm.
  assert.equal(tied, (20 + 12) * 16 + 2 * (12 * 16 * 16 + 13 * 16) + 2 * 16);
  const untied = { ...config, tie_word_embeddings: false };
  assert.equal(
    createLanguageModel(untied, randomStateDict(untied, 1)).numParameters(),
    tied + 20 * 16,
  );
});

Deno.test("loadStateDict() replaces the weights", async () => {
  await useBackend("wasm");
  const [first, second] = [1, 2].map((seed) =>
    createLanguageModel(config, randomStateDict(config, seed))
  ) as [LanguageModel, LanguageModel];
  const before = logitsOf(first, ids);
  first.loadStateDict(second.stateDict());
  assert.deepEqual(logitsOf(first, ids), logitsOf(second, ids));
  assert.notDeepEqual(logitsOf(first, ids), before);
});

Deno.test("weights that do not fit the config name the tensor", () => {
  const weights = randomStateDict(config, 1);
  const name = "transformer.h.1.mlp.c_fc.weight";
  const rejects = (weights: StateDict, message: RegExp) =>
    assert.throws(
      () => createLanguageModel(config, weights),
      (error) =>
        error instanceof InputError && message.test(error.message) && !/\n/.test(error.message),
    );
  const without = new Map(weights);
  without.delete(name);
  rejects(without, /h\.1\.mlp\.c_fc\.weight of shape \[16, 64\] is missing/);
  rejects(replaced(weights, name, { shape: [64, 16] }), /c_fc.*\[64, 16\].*\[16, 64\]/);
  const data = new Float32Array(16 * 64);
  data[7] = NaN;
  rejects(replaced(weights, name, { data }), /c_fc\.weight" has the value NaN at element 7/);
  rejects(
    rename(weights, (n) => n.replace("h.1.ln_1.bias", "h.2.ln_1.bias")),
    /h\.2\.ln_1\.bias has no place/,
  );
});

Deno.test("token ids outside the vocabulary and overlong sequences are refused", () => {
  const model = createLanguageModel(config, randomStateDict(config, 1));
  assert.throws(() => model.logits(Int32Array.of(1, 20)), /token id 20 at position 1.* 20;/);
  assert.throws(() => model.logits(new Int32Array(13)), /13 tokens .* context of 12/);
  assert.throws(() => model.logits(new Int32Array(5), 2), InputError);
});

Deno.test("running a model leaves no tensors behind", async () => {
  await useBackend("wasm");
  const { memory } = await import("@tensorflow/tfjs");
  const before = memory().numTensors;
  const model = createLanguageModel(config, randomStateDict(config, 1));
  logitsOf(model, ids);
  model.dispose();
  assert.equal(memory().numTensors, before);
});
