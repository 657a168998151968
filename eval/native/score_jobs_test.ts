import assert from "node:assert";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { evaluateLanguageModel, evaluateOriginal } from "../measure/evaluate.ts";
import type { Window } from "../protocols/window.ts";
import { scoreWindows } from "../scoring/score_windows.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import { needsNative } from "../testdata/needs_native.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { rotaryCases, rotaryTokens, rotaryWeights } from "../testdata/rotary_models.ts";

const llama = {
  model_type: "llama",
  hidden_size: 48,
  intermediate_size: 72,
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
  vocab_size: 5301,
};
const distilbert = {
  model_type: "distilbert",
  architectures: ["DistilBertForMaskedLM"],
  dim: 48,
  hidden_dim: 72,
  n_heads: 4,
  n_layers: 2,
  max_position_embeddings: 64,
  vocab_size: 2301,
};
const configs: Record<string, ModelConfig> = {
  llama,
  "llama with biases": { ...llama, attention_bias: true, mlp_bias: true, head_dim: 10 },
  "mistral with a window": { ...llama, model_type: "mistral", sliding_window: 37 },
  qwen2: { ...llama, model_type: "qwen2" },
  qwen3: { ...llama, model_type: "qwen3", head_dim: 20, tie_word_embeddings: true },
  "gpt2, a head in parts": gpt2,
  "gpt2 of odd sizes": { ...gpt2, n_embd: 33, n_head: 3, activation_function: "gelu" },
  gpt_neox: { ...llama, model_type: "gpt_neox", rotary_pct: 0.5, hidden_act: "gelu" },
  "gpt_neox in sequence": { ...llama, model_type: "gpt_neox", use_parallel_residual: false },
};

function textOf(length: number, vocabulary: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => (i * i * 7 + 11 * i) % vocabulary);
}

function assertNear(found: number, expected: number): void {
  assert.ok(Math.abs(found / expected - 1) < 1e-5, `${found} is not ${expected}`);
}

for (const [name, config] of Object.entries(configs)) {
  Deno.test({
    name: `the native engine gives the figures of WebAssembly: ${name}`,
    ...needsNative,
    async fn() {
      const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
      const tokens = textOf(700, 301);
      const options = { config, original, compressed, tokens, contextLength: 150 };
      const wasm = await evaluateLanguageModel({ ...options, threads: 1 });
      const native = await evaluateLanguageModel({ ...options, backend: "native", threads: 2 });
      assertNear(native.perplexity.original, wasm.perplexity.original);
      assertNear(native.perplexity.compressed!, wasm.perplexity.compressed!);
      assertNear(native.klDivergence!.mean, wasm.klDivergence!.mean);
      assertNear(native.klDivergence!.p999, wasm.klDivergence!.p999);
      assert.equal(native.sameTop1!.share, wasm.sameTop1!.share);
    },
  });
}

Deno.test({
  name: "the native engine gives the figures of WebAssembly: a masked model",
  ...needsNative,
  async fn() {
    const [original, compressed] = [randomStateDict(distilbert, 1), randomStateDict(distilbert, 2)];
    const tokens = textOf(90, 301);
    const options = { config: distilbert, original, compressed, tokens, contextLength: 30 };
    const masked = { ...options, maskTokenId: 7 };
    const wasm = await evaluateLanguageModel({ ...masked, threads: 1 });
    const native = await evaluateLanguageModel({ ...masked, backend: "native" });
    assertNear(native.perplexity.original, wasm.perplexity.original);
    assertNear(native.klDivergence!.mean, wasm.klDivergence!.mean);
  },
});

Deno.test({
  name: "the native engine gives the scores of WebAssembly: a classifier, texts of any length",
  ...needsNative,
  async fn() {
    const config = {
      ...distilbert,
      architectures: ["DistilBertForSequenceClassification"],
      num_labels: 3,
    };
    const original = randomStateDict(config, 1);
    const model = describeModel(config, original.keys());
    const windows = [9, 30, 9, 17].map((length, chunk): Window => ({
      tokens: textOf(length, 301),
      rows: Int32Array.of(0),
      labels: Int32Array.of(chunk % 3),
      chunk,
    }));
    const { scores: wasm } = await scoreWindows(model, windows, { config, original, threads: 1 });
    const options = { config, original, backend: "native" as const };
    const { scores: native } = await scoreWindows(model, windows, options);
    native.original.forEach((score, row) => assertNear(score, wasm.original[row]!));
    assert.deepEqual(native.originalTop, wasm.originalTop);
  },
});

for (const { name, config } of architectureCases) {
  Deno.test({
    name: `the native engine gives the scores of WebAssembly: ${name}`,
    ...needsNative,
    async fn() {
      const original = formulaWeights(config);
      const model = describeModel(config, original.keys());
      const { length } = architectureTokens;
      const tokens = architectureTokens.slice(0, Math.min(length, model.contextLength));
      const count = model.objective === "classification" ? 1 : tokens.length;
      const rows = Int32Array.from({ length: count }, (_, row) => row);
      const labels = rows.map((row) => row % model.head.outputs);
      const windows = [{ tokens, rows, labels, chunk: 0 }];
      const options = { config, original, threads: 1 };
      const { scores: wasm } = await scoreWindows(model, windows, options);
      const native = await scoreWindows(model, windows, { ...options, backend: "native" });
      native.scores.original.forEach((score, row) => assertNear(score, wasm.original[row]!));
      assert.deepEqual(native.scores.originalTop, wasm.originalTop);
    },
  });
}

for (const { name, config } of rotaryCases) {
  Deno.test({
    name: `the native engine gives the figures of WebAssembly: rotary positions, ${name}`,
    ...needsNative,
    async fn() {
      const tokens = Int32Array.from(
        { length: 130 },
        (_, i) => rotaryTokens[i % rotaryTokens.length]!,
      );
      const contextLength = Math.min(48, Number(config["max_position_embeddings"]));
      const options = { config, original: rotaryWeights, tokens, contextLength };
      const wasm = await evaluateLanguageModel({ ...options, threads: 1 });
      const native = await evaluateLanguageModel({ ...options, backend: "native" });
      assertNear(native.perplexity.original, wasm.perplexity.original);
    },
  });
}

/** Weights that differ a little from others, as those of a compressed model do. */
function disturb(weights: StateDict, share: number): StateDict {
  let sign = share;
  return new Map(Array.from(weights, ([name, tensor]) => {
    const data = tensor.data.map((value, i) => {
      if (i % 3 === 0) sign = -sign;
      return value * (1 + sign);
    });
    return [name, { ...tensor, data }];
  }));
}

Deno.test({
  name: "a small divergence is as exact on the native engine as in float64",
  ...needsNative,
  async fn() {
    const original = randomStateDict(gpt2, 1);
    const options = {
      config: gpt2,
      original,
      compressed: disturb(original, 1e-3),
      tokens: textOf(600, 301),
      contextLength: 200,
    };
    const wasm = await evaluateLanguageModel({ ...options, threads: 1 });
    const native = await evaluateLanguageModel({ ...options, backend: "native" });
    assert.ok(wasm.klDivergence!.mean < 1e-5);
    const ratio = native.klDivergence!.mean / wasm.klDivergence!.mean;
    assert.ok(Math.abs(ratio - 1) < 1e-2, `${ratio}`);
  },
});

Deno.test({
  name: "states that are kept of the original give the same scores as the original",
  ...needsNative,
  async fn() {
    const [original, compressed] = [randomStateDict(llama, 1), randomStateDict(llama, 2)];
    const options = {
      config: llama,
      original,
      tokens: textOf(700, 301),
      contextLength: 150,
      backend: "native" as const,
    };
    const whole = await evaluateLanguageModel({ ...options, compressed });
    const { base } = await evaluateOriginal(options);
    assert.deepEqual(await evaluateLanguageModel({ ...options, compressed, base }), whole);
  },
});

Deno.test({
  name: "the native engine stops between jobs",
  ...needsNative,
  async fn() {
    const original = randomStateDict(llama, 1);
    const signal = AbortSignal.abort(new Error("stopped"));
    const tokens = textOf(600, 301);
    await assert.rejects(
      evaluateLanguageModel({ config: llama, original, tokens, backend: "native", signal }),
      /stopped/,
    );
  },
});

Deno.test({
  name: "weights in memory that threads share give the same scores",
  ...needsNative,
  async fn() {
    const original = randomStateDict(gpt2, 1);
    const shared = new Map(Array.from(original, ([name, tensor]) => {
      return [name, { ...tensor, data: shareFloat32Array(tensor.data) }];
    }));
    const options = {
      config: gpt2,
      tokens: textOf(300, 301),
      contextLength: 150,
      backend: "native" as const,
    };
    const expected = await evaluateLanguageModel({ ...options, original });
    assert.deepEqual(await evaluateLanguageModel({ ...options, original: shared }), expected);
  },
});
