import assert from "node:assert";
import { join } from "node:path";
import { ggufArchitectures } from "../data/gguf/architectures.ts";
import { dequantize } from "../data/gguf/dequantize.ts";
import { readGgufHeader } from "../data/gguf/header.ts";
import { huggingFaceName } from "../data/gguf/tensor_names.ts";
import { toHuggingFaceValues } from "../data/gguf/value_change.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict } from "../data/tensor.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createLanguageModel, useBackend } from "../eval/mod.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { rotaryCases, rotaryTokens, rotaryWeights } from "../eval/testdata/rotary_models.ts";
import { type GgufModel, type GgufPlan, type GgufWeightType, planGguf } from "../gguf/mod.ts";
import { ggufConfigs, letters, sourceOf } from "../gguf/testdata/model_configs.ts";
import { needsLlamaCpp } from "./needs_llama_cpp.ts";
import { type LlamaCpp, startLlamaCpp } from "./start_llama_cpp.ts";

/** Writes a model, has llama.cpp load it, and removes it. */
async function withLlamaCpp<T>(
  model: GgufModel,
  type: GgufWeightType,
  work: (llama: LlamaCpp) => Promise<T>,
): Promise<T> {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "model.gguf");
  const plan = planGguf(model, type);
  await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
  const llama = await startLlamaCpp(path);
  try {
    return await work(llama);
  } finally {
    await llama.close();
  }
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

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

const sequence = Array.from({ length: 40 }, (_, i) => (7 * i * i + 3 * i + 5) % 80);

for (const [name, config] of Object.entries(ggufConfigs)) {
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
      const most = /^(gpt|gemma|falcon|phi$|starcoder)/.test(name) ? 2e-2 : 1e-4;
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
  ...ggufConfigs["llama"],
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
  const architecture = ggufArchitectures.find(({ modelType }) => modelType === wide.model_type)!;
  const counts = { heads: 4, keyValueHeads: 2 };
  return new Map(tensors.map(({ name, type, shape, start, end }) => {
    const found = huggingFaceName(architecture, name)!;
    const values = { shape, data: dequantize(type, file.subarray(start, end)) };
    const { data } = toHuggingFaceValues(values, found.change, counts);
    return [found.name, { ...weights.get(found.name)!, data }];
  }));
}
