import assert from "node:assert";
import { useBackend } from "../../../eval/compute/backend.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { calibrate, evaluateLanguageModel, tensorMetrics } from "../../../eval/mod.ts";
import { randomStateDict } from "../../../eval/testdata/random_model.ts";
import { smallLlama } from "../../../eval/testdata/small_llama.ts";
import { prepareWeights } from "../../../eval/weights/prepared_weights.ts";
import { decompressWeights } from "../../../hierarchy/mod.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { driftCorrected } from "./correct_drift.ts";
import { encodeAtStep } from "./encode_at_step.ts";

const STEP = 0.01, CONTEXT = 32, CHUNKS = 16;

Deno.test("making up for drift brings a model nearer to its original, and none of it changes nothing", async () => {
  await useBackend("wasm");
  const config = { ...smallLlama, num_hidden_layers: 4, vocab_size: 60 };
  const original = randomStateDict(config, 5);
  const model = describeModel(config, original.keys());
  const random = createRandom(6);
  const ids = Int32Array.from(
    { length: CONTEXT * CHUNKS },
    () => Math.floor(60 * random.uniform()),
  );
  const batches = [0, 1].map((half) => ({
    ids: ids.slice(half * ids.length / 2, (half + 1) * ids.length / 2),
    chunks: CHUNKS / 2,
  }));
  const calibration = await calibrate({
    ...{ config, weights: original, tokens: ids, contextLength: CONTEXT },
    ...{ backend: "wasm", threads: 1 },
  });
  const input = { config, metrics: tensorMetrics(model, calibration) };
  const at = (share: number) =>
    encodeAtStep(original, input, STEP, { states: 8 }, (states) =>
      driftCorrected({
        ...{ model, batches, share, damping: 0.01, states },
        original: prepareWeights(model, original, false),
      }));
  const plain = await encodeAtStep(original, input, STEP, { states: 8 }, () => (run) => run);
  assert.deepEqual(await at(0), plain);
  const divergence = async (file: Uint8Array) => {
    const { klDivergence } = await evaluateLanguageModel({
      ...{ config, original, tokens: ids, contextLength: CONTEXT, backend: "wasm", threads: 1 },
      compressed: await decompressWeights(file),
    });
    return klDivergence!.mean;
  };
  const before = await divergence(plain), after = await divergence(await at(1));
  assert.ok(after < 0.9 * before, `${before} became ${after}`);
});
