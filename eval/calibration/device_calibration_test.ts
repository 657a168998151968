import assert from "node:assert";
import { needsWebGpu } from "../../kan/testdata/needs_webgpu.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { smallLlama } from "../testdata/small_llama.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { calibrate } from "./calibrate.ts";
import { allocateMoments } from "./calibration_sums.ts";
import { calibrateOnDevice, labelDraws } from "./device_calibration.ts";

const llama = {
  model_type: "llama",
  hidden_size: 48,
  intermediate_size: 136,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 256,
  vocab_size: 301,
};
const gpt2 = {
  model_type: "gpt2",
  n_embd: 48,
  n_head: 4,
  n_layer: 2,
  n_positions: 256,
  vocab_size: 301,
};
const configs: Record<string, ModelConfig> = {
  "llama with biases": { ...llama, attention_bias: true, mlp_bias: true, intermediate_size: 1160 },
  "mistral with a window": { ...llama, model_type: "mistral", sliding_window: 37 },
  "qwen3, tied": { ...llama, model_type: "qwen3", head_dim: 20, tie_word_embeddings: true },
  "gemma": { ...llama, model_type: "gemma", head_dim: 20, num_key_value_heads: 1 },
  gemma2: {
    ...llama,
    model_type: "gemma2",
    head_dim: 20,
    sliding_window: 37,
    attn_logit_softcapping: 1.5,
    final_logit_softcapping: 2,
  },
  gemma3_text: { ...llama, model_type: "gemma3_text", head_dim: 20, sliding_window: 37 },
  granite: {
    ...llama,
    model_type: "granite",
    attention_multiplier: 0.3,
    embedding_multiplier: 3,
    logits_scaling: 1.7,
    residual_multiplier: 0.6,
  },
  olmo2: { ...llama, model_type: "olmo2" },
  "phi3": { ...llama, model_type: "phi3", sliding_window: 37 },
  "falcon": { ...llama, model_type: "falcon" },
  "opt": { ...llama, model_type: "opt", ffn_dim: 136 },
  "gpt2 with gelu": { ...gpt2, activation_function: "gelu" },
  "gpt2 with quick_gelu": { ...gpt2, activation_function: "quick_gelu" },
  "gpt2 with relu": { ...gpt2, activation_function: "relu" },
  "gpt_neox in parallel": {
    ...llama,
    model_type: "gpt_neox",
    num_attention_heads: 4,
    rotary_pct: 0.5,
  },
};

const tokens = Int32Array.from({ length: 620 }, (_, i) => (i * i * 7 + 11 * i) % 301);

/** The largest difference as a share of the largest number. */
function difference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

for (const [name, config] of Object.entries(configs)) {
  // Forward alone, one of each kind of attention is enough.
  for (const fisher of /^(llama|mistral|qwen3|gpt_neox)/.test(name) ? [true, false] : [true]) {
    Deno.test({
      name: `our programs find the statistics of WebAssembly${fisher ? "" : " forward"}: ${name}`,
      ...needsWebGpu,
      async fn() {
        const weights = randomStateDict(config, 1);
        const model = describeModel(config, []);
        assert.equal(whyUnsupported(model, { largestBinding: 2 ** 27 }, 150), undefined);
        const options = { config, weights, tokens, contextLength: 150, threads: 1, fisher };
        const wasm = await calibrate({ ...options, backend: "wasm" });
        const webgpu = await calibrate({ ...options, backend: "webgpu" });
        assert.deepEqual([...webgpu.linears.keys()], [...wasm.linears.keys()]);
        for (const [weight, expected] of wasm.linears) {
          const found = webgpu.linears.get(weight)!;
          const pairs = [
            [expected.hessian, found.hessian],
            [expected.fisher ?? [1], found.fisher ?? [1]],
            ...(expected.outputMoments ?? []).map(({ moment }, index) =>
              [moment, found.outputMoments![index]!.moment] as const
            ),
          ] as const;
          for (const [a, b] of pairs) {
            const apart = difference(a, b);
            assert.ok(apart < 2e-5, `${weight}: ${apart}`);
          }
        }
        if (fisher) {
          assert.ok(difference(wasm.embeddingMoment!, webgpu.embeddingMoment!) < 2e-5);
        }
      },
    });
  }
}

async function countsOf(layers: number) {
  const config = { ...llama, num_hidden_layers: layers };
  const weights = randomStateDict(config, 1);
  const model = describeModel(config, weights.keys());
  const device = await openDevice();
  const before = { ...device.counts };
  const moments = allocateMoments(model, true);
  await calibrateOnDevice(device, {
    model,
    weights: prepareWeights(model, weights, false),
    chunks: tokens.subarray(0, 600),
    contextLength: 150,
    draws: labelDraws(600, 600, 0),
    moments,
  });
  const { dispatches, bytesRead } = device.counts;
  device.close();
  const sizes = [...moments.groups, ...moments.blocks].map(({ size }) => 4 * size * size);
  return {
    dispatches: dispatches - before.dispatches,
    bytesRead: bytesRead - before.bytesRead,
    momentBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}

Deno.test({
  name: "a layer takes at most 80 dispatches forward and back, and moments come back once",
  ...needsWebGpu,
  async fn() {
    const [one, three] = [await countsOf(1), await countsOf(3)];
    const ofLayer = (three.dispatches - one.dispatches) / 2;
    assert.ok(ofLayer <= 80, `${ofLayer}`);
    assert.ok(one.bytesRead < one.momentBytes + 4 * 400, `${one.bytesRead} ${one.momentBytes}`);
  },
});

Deno.test({
  name: "calibration on WebGPU stops between jobs",
  ...needsWebGpu,
  async fn() {
    const signal = AbortSignal.abort(new Error("stopped"));
    const weights = randomStateDict(gpt2, 1);
    await assert.rejects(
      calibrate({ config: gpt2, weights, tokens, backend: "webgpu", signal }),
      /stopped/,
    );
  },
});

Deno.test({
  name:
    "calibration on WebGPU stops by itself where that on WebAssembly does, as if the text ended there",
  ...needsWebGpu,
  async fn() {
    const config: ModelConfig = { ...smallLlama, max_position_embeddings: 512 };
    const weights = randomStateDict(config, 1);
    const random = createRandom(5);
    const text = Int32Array.from({ length: 12_000 }, () => random.integer(20));
    const options = { config, weights, tokens: text, contextLength: 128, seed: 3, threads: 1 };
    for (const fisher of [true, false]) {
      const stopping = { ...options, fisher, loss: 0.02 };
      const wasm = await calibrate({ ...stopping, backend: "wasm" });
      const shares: number[] = [];
      const onProgress = (share: number) => shares.push(share);
      const webgpu = await calibrate({ ...stopping, backend: "webgpu", onProgress });
      assert.ok(webgpu.tokens >= 4096 && webgpu.tokens < 11_000, `${webgpu.tokens}`);
      assert.equal(webgpu.tokens, wasm.tokens);
      assert.ok(Math.abs(webgpu.loss! / wasm.loss! - 1) < 0.01, `${webgpu.loss} ${wasm.loss}`);
      assert.equal(shares.at(-1), 1);
      assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
      const read = text.subarray(0, webgpu.tokens);
      const whole = await calibrate({ ...options, fisher, tokens: read, backend: "webgpu" });
      assert.equal(whole.tokens, webgpu.tokens);
      assert.equal(whole.loss, undefined);
      for (const [weight, expected] of whole.linears) {
        const found = webgpu.linears.get(weight)!;
        assert.ok(difference(expected.hessian, found.hessian) < 2e-6, weight);
        if (fisher) assert.ok(difference(expected.fisher!, found.fisher!) < 2e-6, weight);
      }
    }
  },
});
