import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { readValues, useBackend } from "../compute/backend.ts";
import { applyHead } from "./forward.ts";
import { headBlocks } from "./head_blocks.ts";
import { headLogits } from "./head_logits.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const configs = [
  // Tied, stored as [outputs, inputs], no bias.
  { model_type: "gpt2", n_embd: 12, n_head: 2, n_layer: 1, n_positions: 8, vocab_size: 7001 },
  // With a transform before the product and a bias after it.
  {
    model_type: "distilbert",
    architectures: ["DistilBertForMaskedLM"],
    dim: 12,
    hidden_dim: 16,
    n_heads: 2,
    n_layers: 1,
    max_position_embeddings: 8,
    vocab_size: 3073,
  },
];

for (const config of configs) {
  Deno.test(`${config.model_type}: a head in blocks gives the bits of the whole`, async () => {
    await useBackend("wasm");
    const weights = randomStateDict(config, 1);
    const description = describeModel(config, weights.keys());
    assert.ok(headBlocks(description.head).length > 1);
    const random = createRandom(2);
    for (const resident of [true, false]) {
      const parameters = new ParameterStore(prepareWeights(description, weights, false), resident);
      for (const rows of [1, 5, 37]) {
        const hidden = Float32Array.from({ length: 12 * rows }, () => random.normal());
        const x = tf.tensor2d(hidden, [rows, 12]);
        const whole = applyHead(description, parameters, x);
        assert.deepEqual(
          await headLogits({ description, parameters }, hidden),
          (await readValues(whole)).slice(),
        );
        tf.dispose([x, whole]);
      }
      // Nor do the bits of a row depend on the rows beside it.
      const hidden = Float32Array.from({ length: 12 * 37 }, () => random.normal());
      const [all, first, rest] = [hidden, hidden.subarray(0, 240), hidden.subarray(240)];
      const logits = [];
      for (const part of [all, first, rest]) {
        logits.push(await headLogits({ description, parameters }, part));
      }
      const joined = new Float32Array(logits[0]!.length);
      joined.set(logits[1]!);
      joined.set(logits[2]!, logits[1]!.length);
      assert.deepEqual(logits[0], joined);
      parameters.dispose();
    }
  });
}

Deno.test("headBlocks() covers every output once", () => {
  const head = { weight: "w", inputs: 1, outputs: 10, layout: "outputsByInputs" } as const;
  assert.deepEqual(headBlocks(head, 4), [[0, 4], [4, 8], [8, 10]]);
  assert.deepEqual(headBlocks(head), [[0, 10]]);
});
