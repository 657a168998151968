import assert from "node:assert";
import { decompressWeights, HierarchicalCompressor } from "../../hierarchy/mod.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { describeModel } from "../architectures/registry.ts";
import { calibrate, evaluateLanguageModel, tensorMetrics } from "../mod.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { smallLlama } from "../testdata/small_llama.ts";
import { driftCorrected, type DriftOptions } from "./correct_drift.ts";

const CONTEXT = 32, CHUNKS = 16;

const config = { ...smallLlama, num_hidden_layers: 4, vocab_size: 60 };
const original = randomStateDict(config, 5);
const random = createRandom(6);
const tokens = Int32Array.from(
  { length: CONTEXT * CHUNKS },
  () => Math.floor(60 * random.uniform()),
);
const given = { config, weights: original, tokens, contextLength: CONTEXT, threads: 1 };
const wasm = { ...given, backend: "wasm" as const };
const metrics = tensorMetrics(describeModel(config, original.keys()), await calibrate(wasm));

async function compress(drift?: Partial<DriftOptions>): Promise<Uint8Array> {
  const compressor = new HierarchicalCompressor({
    ...{ bits: 5, states: 8 },
    ...(drift && { tasksThrough: await driftCorrected({ ...wasm, damping: 0.01, ...drift }) }),
  });
  return (await compressor.compress(original, { config, metrics })).bytes;
}

async function divergence(file: Uint8Array): Promise<number> {
  const { klDivergence } = await evaluateLanguageModel({
    ...{ config, original, tokens, contextLength: CONTEXT, backend: "wasm", threads: 1 },
    compressed: await decompressWeights(file),
  });
  return klDivergence!.mean;
}

Deno.test("making up for drift brings a model nearer to its original, and none of it changes nothing", async () => {
  const plain = await compress(), corrected = await compress({ share: 1 });
  assert.deepEqual(await compress({ share: 0 }), plain);
  const before = await divergence(plain), after = await divergence(corrected);
  assert.ok(after < 0.9 * before, `${before} became ${after}`);
  assert.deepEqual(await compress({ share: 1 }), corrected);
});

Deno.test("drift is the same on the native engine", needsNative, async () => {
  const here = await divergence(await compress({ share: 1 }));
  const native = await divergence(await compress({ share: 1, backend: "native" }));
  assert.ok(Math.abs(native / here - 1) < 0.1, `${here} and ${native}`);
});
