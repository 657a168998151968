import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import type { StateDict, WeightSource, WeightTensor } from "../../data/tensor.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { fromFloat32 } from "../../data/from_float32.ts";
import { evaluateByLayer } from "../measure/evaluate_by_layer.ts";
import { evaluateLanguageModel } from "../measure/evaluate.ts";
import { readStateDict } from "./read_state_dict.ts";
import { bytesOfKept, modelTensors } from "./model_tensors.ts";
import { randomStateDict } from "../testdata/random_model.ts";

const gpt2 = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 2,
  n_positions: 12,
  vocab_size: 20,
};
const weights = randomStateDict(gpt2, 1);
const embedding = weights.get("transformer.wte.weight")!;

function source(dict: StateDict): WeightSource {
  return {
    tensors: Array.from(dict, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name) => Promise.resolve(dict.get(name)!),
  };
}

function withTensor(name: string, tensor: WeightTensor): StateDict {
  return new Map([...weights, [name, tensor]]);
}

Deno.test("a stored head that is the tied embedding once more is left out", async () => {
  const copied = withTensor("lm_head.weight", { ...embedding, data: embedding.data.slice() });
  const dict = await readStateDict({ config: gpt2, weights: source(copied) });
  assert.deepEqual([...dict.keys()], [...weights.keys()]);
});

Deno.test("a stored head of other values is kept and used, tied or not", async () => {
  const data = embedding.data.map((value, i) => i === embedding.data.length - 1 ? 0.5 : -value);
  const dict = withTensor("lm_head.weight", { ...embedding, data });
  const untied = { ...gpt2, tie_word_embeddings: false };
  const tokens = Int32Array.from({ length: 48 }, (_, i) => (i * i + 3 * i) % 20);
  const options = { tokens, contextLength: 12, threads: 1 };
  const perplexities: number[] = [];
  for (const config of [gpt2, { ...gpt2, tie_word_embeddings: true }, untied]) {
    const original = await readStateDict({ config, weights: source(dict) });
    assert.ok(original.has("lm_head.weight"));
    const { perplexity } = await evaluateLanguageModel({ ...options, config, original });
    const byLayer = await evaluateByLayer({ ...options, config, original: source(dict) });
    assert.equal(byLayer.perplexity.original, perplexity.original);
    perplexities.push(perplexity.original);
  }
  assert.equal(new Set(perplexities).size, 1);
  const tied = await evaluateLanguageModel({ ...options, config: gpt2, original: weights });
  assert.ok(Math.abs(tied.perplexity.original / perplexities[0]! - 1) > 0.01);
});

Deno.test("a head of another shape is refused", async () => {
  const tensor = { dtype: "F32", shape: [21, 16], data: new Float32Array(21 * 16) } as const;
  await assert.rejects(
    modelTensors({ config: gpt2, weights: source(withTensor("lm_head.weight", tensor)) }),
    (error) =>
      error instanceof InputError && /lm_head.weight has shape \[21, 16\]/.test(error.message),
  );
});

Deno.test("buffers do not count as bytes of the original", async () => {
  const mask = { dtype: "F32", shape: [1, 1, 12, 12], data: new Float32Array(144) } as const;
  const masked = new Map([
    ...withTensor("transformer.h.0.attn.bias", mask),
    ["transformer.h.1.attn.masked_bias", { ...mask, shape: [], data: new Float32Array(1) }],
  ]);
  const encode = (dict: StateDict) =>
    encodeSafetensors(
      Array.from(dict, ([name, { dtype, shape, data }]) => ({
        name,
        dtype,
        shape,
        bytes: fromFloat32(dtype, data),
      })),
    ).length;
  const { tensors } = source(masked);
  const kept = await modelTensors({ config: gpt2, weights: source(masked) });
  assert.equal(bytesOfKept(encode(masked), tensors, kept), encode(weights));
  assert.equal(bytesOfKept(1234, kept, kept), 1234);
});
