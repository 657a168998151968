import assert from "node:assert";
import { ggufArchitectures } from "../data/gguf/architectures.ts";
import { dequantize } from "../data/gguf/dequantize.ts";
import { readGgufHeader } from "../data/gguf/header.ts";
import { huggingFaceName } from "../data/gguf/tensor_names.ts";
import { toHuggingFaceValues } from "../data/gguf/value_change.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { createLanguageModel, useBackend } from "../eval/mod.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { rotaryCases, rotaryTokens, rotaryWeights } from "../eval/testdata/rotary_models.ts";
import { type GgufModel, type GgufPlan, type GgufWeightType, planGguf } from "../gguf/mod.ts";
import { needsLlamaCpp } from "./needs_llama_cpp.ts";
import { type LlamaCpp, startLlamaCpp } from "./start_llama_cpp.ts";

/** Writes a model, has llama.cpp load it, and removes it. */
async function withLlamaCpp<T>(
  model: GgufModel,
  type: GgufWeightType,
  work: (llama: LlamaCpp) => Promise<T>,
): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".gguf" });
  try {
    const plan = planGguf(model, type);
    await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
    const llama = await startLlamaCpp(path);
    try {
      return await work(llama);
    } finally {
      await llama.close();
    }
  } finally {
    await Deno.remove(path);
  }
}

/** A byte-level tokenizer of so many tokens, each one letter: llama.cpp does not run without one. */
function letters(size: number) {
  const vocab = Object.fromEntries(
    Array.from({ length: size }, (_, id) => [String.fromCodePoint(0x4e00 + id), id]),
  );
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  return {
    tokenizer: {
      added_tokens: [],
      pre_tokenizer: byteLevel,
      decoder: byteLevel,
      model: { type: "BPE", vocab, merges: [] },
    },
  };
}

function logSoftmax(logits: ArrayLike<number>, columns: number): Float32Array {
  const scores = Float32Array.from(logits);
  for (let at = 0; at < scores.length; at += columns) {
    const row = scores.subarray(at, at + columns);
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, i) => row[i] = value - largest - Math.log(sum));
  }
  return scores;
}

/** Weights that are in memory, as a source of them. */
function sourceOf(weights: StateDict): WeightSource {
  return {
    tensors: Array.from(weights, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name) => Promise.resolve(weights.get(name)!),
  };
}

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

const small = { hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, vocab_size: 80 };
const heads = { num_attention_heads: 4, max_position_embeddings: 64 };
const llama = { ...small, ...heads, num_key_value_heads: 2 };

/** Small models of every kind that llama.cpp has; settings beside the usual ones in their names. */
const configs: Readonly<Record<string, ModelConfig>> = {
  "llama": { ...llama, model_type: "llama", rope_parameters: { rope_theta: 500 } },
  "llama with biases, tied": {
    ...llama,
    model_type: "llama",
    attention_bias: true,
    mlp_bias: true,
    tie_word_embeddings: true,
  },
  "llama with YaRN of unusual betas": {
    ...llama,
    model_type: "llama",
    rope_parameters: {
      rope_type: "yarn",
      rope_theta: 10_000,
      factor: 4,
      original_max_position_embeddings: 16,
      beta_fast: 8,
      beta_slow: 2,
    },
  },
  "llama in a context shorter than LongRoPE's": {
    ...llama,
    model_type: "llama",
    max_position_embeddings: 2048,
    rope_scaling: {
      rope_type: "longrope",
      original_max_position_embeddings: 512,
      short_factor: [1, 1.1, 1.2, 1.3, 1.5, 2, 2.5, 3],
      long_factor: [1, 2, 3, 4, 5, 6, 7, 8],
    },
  },
  "mistral": { ...llama, model_type: "mistral", head_dim: 24, sliding_window: null },
  "qwen2": { ...llama, model_type: "qwen2", tie_word_embeddings: true, rope_theta: 1e6 },
  "qwen2 with YaRN": {
    ...llama,
    model_type: "qwen2",
    rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 16 },
  },
  "qwen3": { ...llama, model_type: "qwen3", head_dim: 32 },
  "gpt2": {
    model_type: "gpt2",
    n_embd: 64,
    n_head: 4,
    n_layer: 2,
    n_positions: 64,
    vocab_size: 80,
  },
  "gpt_neox": { ...small, ...heads, model_type: "gpt_neox", rotary_pct: 0.25 },
  "gpt_neox, one after the other, tied": {
    ...small,
    ...heads,
    model_type: "gpt_neox",
    use_parallel_residual: false,
    tie_word_embeddings: true,
    hidden_act: "gelu_new",
  },
};

const sequence = Array.from({ length: 40 }, (_, i) => (7 * i * i + 3 * i + 5) % 80);

for (const [name, config] of Object.entries(configs)) {
  Deno.test({
    ...needsLlamaCpp,
    name: `llama.cpp predicts as kanpress does: ${name}`,
    async fn() {
      await useBackend("wasm");
      const weights = randomStateDict(config, 3);
      const model = createLanguageModel(config, weights);
      const logits = model.logits(Int32Array.from(sequence));
      const expected = logSoftmax(logits.dataSync(), 80);
      logits.dispose();
      model.dispose();
      const source = { config, weights: sourceOf(weights), tokenizer: letters(80) };
      const found = await withLlamaCpp(source, "f32", (llama) => llama.score(sequence));
      // llama.cpp takes GELU from a table of f16, in which it is approximated by tanh.
      const most = name.startsWith("gpt") ? 1e-2 : 1e-4;
      const worst = worstDifference(found, expected);
      assert.ok(worst <= most, `${worst}`);
    },
  });
}

for (const { name, config, logits } of rotaryCases) {
  Deno.test({
    ...needsLlamaCpp,
    name: `llama.cpp rotates as transformers does: ${name}`,
    async fn() {
      const size = Number(config["vocab_size"]);
      const model = { config, weights: sourceOf(rotaryWeights), tokenizer: letters(size) };
      for (const { length, last } of logits) {
        // Its contexts have at least 256 tokens, so that it takes the factors for long ones.
        if (name.startsWith("longrope") && length < 16) continue;
        // It has no dynamic scaling, which planGguf says.
        if (name.startsWith("dynamic") && length > 32) continue;
        const tokens = [...rotaryTokens.slice(0, length)];
        const found = await withLlamaCpp(model, "f32", (llama) => llama.score(tokens));
        const expected = logSoftmax(last, last.length);
        const worst = worstDifference(found.slice(-last.length), expected);
        assert.ok(worst <= 1e-4, `${worst} at ${length} tokens`);
      }
    },
  });
}

/** A model whose rows are whole blocks of every type, but for one matrix. */
const wide = {
  ...llama,
  model_type: "llama",
  hidden_size: 256,
  intermediate_size: 288,
  head_dim: 64,
  num_hidden_layers: 1,
};

for (
  const [type, most] of [
    ["f16", 0.005],
    ["bf16", 0.02],
    ["q8_0", 0.04],
    ["q6_k", 0.04],
    ["q4_0", 0.04],
    ["q4_k", 0.04],
  ] as const
) {
  Deno.test({
    ...needsLlamaCpp,
    name: `${type}: llama.cpp predicts as kanpress does with the values that were written`,
    async fn() {
      await useBackend("wasm");
      const weights = randomStateDict(wide, 4);
      const source = { config: wide, weights: sourceOf(weights), tokenizer: letters(80) };
      const restored = await readBack(planGguf(source, type), weights);
      const model = createLanguageModel(wide, restored);
      const logits = model.logits(Int32Array.from(sequence));
      const expected = logSoftmax(logits.dataSync(), 80);
      logits.dispose();
      model.dispose();
      const found = await withLlamaCpp(source, type, (llama) => llama.score(sequence));
      // llama.cpp rounds activations too, to f16, bf16 or blocks of 8 bits.
      const squares = found.reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0);
      const difference = Math.sqrt(squares / found.length);
      assert.ok(difference <= most, `${difference}`);
    },
  });
}

/** The weights as a GGUF file has them. */
async function readBack(plan: GgufPlan, weights: StateDict): Promise<StateDict> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of plan.chunks()) chunks.push(chunk);
  const file = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  const { tensors } = await readGgufHeader(memorySource(file, "model.gguf"));
  const architecture = ggufArchitectures[0]!;
  const counts = { heads: 4, keyValueHeads: 2 };
  return new Map(tensors.map(({ name, type, shape, start, end }) => {
    const found = huggingFaceName(architecture, name)!;
    const values = { shape, data: dequantize(type, file.subarray(start, end)) };
    const { data } = toHuggingFaceValues(values, found.change, counts);
    return [found.name, { ...weights.get(found.name)!, data }];
  }));
}
