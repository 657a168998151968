import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { expectedTensors } from "../weights/expected_tensors.ts";
import { modelParts, withOriginal } from "./model_parts.ts";

const LLAMA = {
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 16,
  num_attention_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  vocab_size: 11,
};
const GPT2 = {
  model_type: "gpt2",
  n_embd: 8,
  n_head: 2,
  n_layer: 2,
  n_positions: 16,
  vocab_size: 11,
};

for (const [config, tied] of [[LLAMA, false], [LLAMA, true], [GPT2, true]] as const) {
  const title = `${config.model_type}, ${tied ? "tied" : "untied"}`;
  Deno.test(`${title}: every matrix is of one part`, () => {
    const model = describeModel({ ...config, tie_word_embeddings: tied }, []);
    const parts = modelParts(model);
    const all = parts.flatMap(({ tensors }) => tensors);
    assert.equal(new Set(all).size, all.length);
    const matrices = [...expectedTensors(model)].filter(([, shape]) => shape.length > 1);
    assert.deepEqual([...all].sort(), matrices.map(([name]) => name).sort());
    const ends = tied ? ["embedding and head"] : ["embedding", "head"];
    assert.deepEqual(parts.map(({ name }) => name), [...ends, "attention", "feed-forward"]);
  });
}

Deno.test("withOriginal() puts back what it is told to and nothing else", () => {
  const tensor = (value: number) => ({
    dtype: "F32" as const,
    shape: [1, 1],
    data: Float32Array.of(value),
  });
  const original = new Map([["a", tensor(1)], ["b", tensor(2)]]);
  const compressed = new Map([["a", tensor(3)], ["b", tensor(4)]]);
  const mixed = withOriginal(compressed, original, { tensors: ["b"] });
  assert.deepEqual([...mixed.values()].map(({ data }) => data[0]), [3, 2]);
  assert.equal(compressed.get("b")!.data[0], 4);
});
