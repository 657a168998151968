import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import type { ModelConfig } from "./config.ts";
import { architectureOf, architectures, describeModel, isIgnorableTensor } from "./registry.ts";

const gpt2 = {
  model_type: "gpt2",
  n_embd: 12,
  n_head: 3,
  n_layer: 1,
  n_positions: 8,
  vocab_size: 5,
};
const llama = {
  model_type: "llama",
  hidden_size: 12,
  intermediate_size: 20,
  num_attention_heads: 3,
  num_hidden_layers: 2,
  max_position_embeddings: 8,
  vocab_size: 5,
};
const distilBert = {
  model_type: "distilbert",
  dim: 12,
  hidden_dim: 20,
  n_heads: 3,
  n_layers: 1,
  max_position_embeddings: 8,
  vocab_size: 5,
};

function rejects(config: ModelConfig, message: RegExp): void {
  assert.throws(
    () => describeModel(config, []),
    (error) => error instanceof InputError && message.test(error.message),
  );
}

Deno.test("unknown architectures and activations are refused with a list", () => {
  rejects(
    { model_type: "mamba" },
    /model_type is "mamba"; supported are distilbert, falcon, .*llama/,
  );
  rejects({}, /model_type is missing/);
  rejects(
    { ...gpt2, activation_function: "softsign" },
    /activation_function.*gelu_new.*"softsign"/,
  );
  rejects({ ...gpt2, add_cross_attention: true }, /add_cross_attention/);
});

Deno.test("what an architecture has but is not supported is refused by its key", () => {
  const opt = { ...llama, model_type: "opt", ffn_dim: 20 };
  rejects({ ...opt, do_layer_norm_before: false }, /do_layer_norm_before false is not supported/);
  rejects({ ...opt, word_embed_proj_dim: 6 }, /word_embed_proj_dim 6 .* only 12/);
  rejects({ ...llama, model_type: "falcon", alibi: true }, /alibi true/);
  const partial = { ...llama, partial_rotary_factor: 1 };
  rejects({ ...partial, model_type: "stablelm", qk_layernorm: true }, /qk_layernorm true/);
  rejects({ ...llama, model_type: "gemma", use_bidirectional_attention: true }, /bidirectional/);
});

Deno.test("incomplete and contradictory configs are refused", () => {
  rejects({ ...gpt2, n_embd: undefined }, /n_embd is missing/);
  rejects({ ...gpt2, n_layer: 1.5 }, /n_layer must be a positive integer, found 1.5/);
  rejects({ ...gpt2, n_head: 5 }, /12 cannot be divided by 5/);
  rejects({ ...llama, num_key_value_heads: 2 }, /3 cannot be divided by 2/);
  rejects({ ...llama, tie_word_embeddings: "yes" }, /must be true or false/);
});

Deno.test("no more layers are described than there are tensors, whatever the config says", () => {
  const models = [
    ["n_layer", gpt2],
    ["n_layers", { ...distilBert, architectures: ["DistilBertForMaskedLM"] }],
    ["num_hidden_layers", llama],
    ["num_hidden_layers", { ...llama, model_type: "mistral" }],
    ["num_hidden_layers", { ...llama, model_type: "qwen2" }],
    ["num_hidden_layers", { ...llama, model_type: "qwen3" }],
    ["num_hidden_layers", { ...llama, model_type: "gpt_neox", rotary_pct: 1 }],
  ] as const;
  const names = ["a", "b", "c"];
  for (const [key, config] of models) {
    assert.equal(describeModel({ ...config, [key]: 3 }, names).layers.length, 3);
    // Describing so many would never end.
    const many = { ...config, [key]: Number.MAX_SAFE_INTEGER };
    assert.throws(() => describeModel(many, names), {
      name: "InputError",
      message: new RegExp(`${key} is 9007199254740991, but the weights have only 3 tensors`),
    });
    rejects(many, new RegExp(`${key} is 9007199254740991, where at most 10000 layers`));
  }
});

Deno.test("null in a config counts as absent", () => {
  const { layers } = describeModel({ ...gpt2, n_inner: null }, []);
  assert.equal(layers[0]!.feedForward.up.outputs, 48);
});

Deno.test("whole numbers may be written with a decimal point", () => {
  const config = JSON.parse(JSON.stringify(llama).replace(/:(\d+)([,}])/g, ":$1.0$2"));
  assert.deepEqual(describeModel(config, []), describeModel(llama, []));
});

Deno.test("names follow the checkpoint's prefix", () => {
  assert.equal(describeModel(gpt2, []).tokenEmbedding, "transformer.wte.weight");
  assert.equal(describeModel(gpt2, ["wte.weight"]).finalNorm?.weight, "ln_f.weight");
  const bare = describeModel(llama, ["embed_tokens.weight", "norm.weight"]);
  assert.equal(bare.layers[1]!.attention.output.weight, "layers.1.self_attn.o_proj.weight");
  assert.equal(bare.head.weight, "lm_head.weight");
});

Deno.test("tied heads use the embedding, by the family's default too", () => {
  assert.equal(describeModel(gpt2, []).head.weight, "transformer.wte.weight");
  const tied = describeModel({ ...llama, tie_word_embeddings: true }, []);
  assert.equal(tied.head.weight, tied.tokenEmbedding);
  const names = Array.from({ length: 30 }, (_, i) => `model.layers.${i}`);
  const own = describeModel({ ...llama, tie_word_embeddings: true }, [...names, "lm_head.weight"]);
  assert.equal(own.head.weight, "lm_head.weight");
});

Deno.test("buffers and the copy of a tied head can be ignored, weights cannot", () => {
  for (const name of ["h.3.attn.bias", "transformer.h.0.attn.masked_bias", "lm_head.weight"]) {
    assert.ok(isIgnorableTensor(gpt2, name), name);
  }
  assert.ok(!isIgnorableTensor({ ...gpt2, tie_word_embeddings: false }, "lm_head.weight"));
  assert.ok(!isIgnorableTensor(gpt2, "transformer.h.0.attn.c_attn.bias"));
  assert.ok(isIgnorableTensor(llama, "model.layers.1.self_attn.rotary_emb.inv_freq"));
  assert.ok(!isIgnorableTensor(llama, "lm_head.weight"));
});

Deno.test("sliding windows are read where the family has them", () => {
  const windows = (config: ModelConfig) =>
    describeModel(config, []).layers.map(({ attention }) => attention.slidingWindow);
  assert.deepEqual(windows({ ...llama, model_type: "mistral", sliding_window: 4 }), [4, 4]);
  assert.deepEqual(windows({ ...llama, model_type: "mistral", sliding_window: null }), [
    undefined,
    undefined,
  ]);
  const qwen2 = { ...llama, model_type: "qwen2", sliding_window: 4 };
  assert.deepEqual(windows(qwen2), [undefined, undefined]);
  const sliding = { ...qwen2, use_sliding_window: true };
  assert.deepEqual(windows({ ...sliding, max_window_layers: 1 }), [undefined, 4]);
  assert.deepEqual(windows({ ...sliding, max_window_layers: 0 }), [4, 4]);
  assert.deepEqual(windows({ ...sliding, max_window_layers: 0, sliding_window: null }), [
    undefined,
    undefined,
  ]);
  // What transformers takes where nothing is said.
  const { sliding_window: _, ...unsaid } = { ...sliding, max_window_layers: 0 };
  assert.deepEqual(windows(unsaid), [4096, 4096]);
  assert.deepEqual(windows({ ...llama, model_type: "mistral" }), [4096, 4096]);
  const layer_types = ["sliding_attention", "full_attention"];
  assert.deepEqual(windows({ ...sliding, layer_types }), [4, undefined]);
});

Deno.test("architectureOf() finds each family", () => {
  for (const { modelType } of architectures) {
    assert.equal(architectureOf({ model_type: modelType }).modelType, modelType);
  }
});

Deno.test("DistilBERT's head follows from its class", () => {
  const masked = { ...distilBert, architectures: ["DistilBertForMaskedLM"] };
  const { objective, head, tokenEmbedding, finalNorm } = describeModel(masked, []);
  assert.deepEqual([objective, head.outputs, finalNorm], ["maskedToken", 5, undefined]);
  assert.equal(head.weight, tokenEmbedding);
  assert.equal(head.bias, "vocab_projector.bias");
  assert.ok(isIgnorableTensor(masked, "vocab_projector.weight"));
  const architectures = ["DistilBertForSequenceClassification"];
  const labels = { 0: "bad", 1: "fair", 2: "good" };
  const classifier = { ...distilBert, architectures, id2label: labels };
  assert.equal(describeModel(classifier, []).head.outputs, 3);
  assert.equal(describeModel({ ...distilBert, architectures }, []).head.outputs, 2);
  rejects({ ...distilBert, architectures: ["DistilBertModel"] }, /DistilBertForMaskedLM, .*Model"/);
  rejects(distilBert, /architectures must name one of/);
});
