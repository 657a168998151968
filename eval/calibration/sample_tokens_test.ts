import assert from "node:assert";
import { embeddedModelPath, openModel } from "../../data/mod.ts";
import { readStateDict } from "../language_model.ts";
import { sampleTokens } from "./sample_tokens.ts";

const source = await openModel(embeddedModelPath());
const weights = await readStateDict(source);

Deno.test("sampleTokens() draws the same tokens whatever the number of workers", async () => {
  const options = { config: source.config, weights, sequences: 3, length: 8, seed: 4 };
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
