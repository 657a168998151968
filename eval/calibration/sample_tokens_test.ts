import assert from "node:assert";
import { embeddedModelPath, openModel } from "../../data/mod.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { readStateDict } from "../weights/read_state_dict.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { sampleTokens } from "./sample_tokens.ts";

const source = await openModel(embeddedModelPath());
const weights = await readStateDict(source);

Deno.test("sampleTokens() draws the same tokens whatever the number of workers", async () => {
  const options = { config: source.config, weights, sequences: 18, length: 8, seed: 4 };
  const one = await sampleTokens({ ...options, firstToken: 0, threads: 1 });
  const two = await sampleTokens({ ...options, firstToken: 0, threads: 2 });
  assert.deepEqual(one, two);
  assert.deepEqual([one[0], one[8], one[16]], [0, 0, 0]);
  assert.notDeepEqual(one.subarray(0, 8), one.subarray(8, 16));
});

Deno.test("sampleTokens() refuses sequences longer than the context", async () => {
  const options = { config: source.config, weights, sequences: 1, length: 257 };
  await assert.rejects(sampleTokens(options), /from 2 to 256/);
});

Deno.test("tokens follow the model's distribution", async () => {
  const config = {
    model_type: "gpt2",
    n_embd: 16,
    n_head: 2,
    n_layer: 1,
    n_positions: 32,
    vocab_size: 6,
  };
  const weights = randomStateDict(config, 1);
  const sequences = 2000;
  const tokens = await sampleTokens({ config, weights, sequences, length: 3, firstToken: 2 });
  await useBackend("wasm");
  const model = createLanguageModel(config, weights);
  const expected = model.logits(Int32Array.of(2)).softmax().dataSync();
  const counts = new Array<number>(6).fill(0);
  for (let at = 1; at < tokens.length; at += 3) counts[tokens[at]!]! += 1 / sequences;
  counts.forEach((share, id) => assert.ok(Math.abs(share - expected[id]!) < 0.05, `${counts}`));
});
