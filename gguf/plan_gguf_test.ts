import assert from "node:assert";
import { readGgufHeader } from "../data/gguf/header.ts";
import { readMetadata } from "../data/gguf/metadata_value.ts";
import { InputError } from "../data/input_error.ts";
import { memorySource } from "../data/memory_source.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { type GgufPlan, planGguf } from "./plan_gguf.ts";

const llama = {
  model_type: "llama",
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};

function sourceOf(weights: StateDict): WeightSource {
  return {
    tensors: Array.from(weights, ([name, { dtype, shape }]) => ({ name, dtype, shape })),
    read: (name) => Promise.resolve(weights.get(name)!),
  };
}

function modelOf(config: ModelConfig) {
  return { config, weights: sourceOf(randomStateDict(config, 1)) };
}

async function bytesOf(plan: GgufPlan): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of plan.chunks()) chunks.push(chunk);
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

async function headerOf(plan: GgufPlan) {
  const header = await readGgufHeader(memorySource(await bytesOf(plan), "model.gguf"));
  return { ...header, read: readMetadata("model.gguf", header.metadata) };
}

Deno.test("a file is as long as it was planned, and the same each time", async () => {
  for (const type of ["f32", "q8_0", "q4_0"] as const) {
    const bytes = await bytesOf(planGguf(modelOf(llama), type));
    assert.equal(bytes.length, planGguf(modelOf(llama), type).byteLength);
    assert.deepEqual(await bytesOf(planGguf(modelOf(llama), type)), bytes);
  }
});

Deno.test("tensors are read one after another, and not before they are written", async () => {
  const { config, weights } = modelOf(llama);
  const read: string[] = [];
  const counted = { ...weights, read: (name: string) => (read.push(name), weights.read(name)) };
  const plan = planGguf({ config, weights: counted }, "f16");
  assert.deepEqual(read, []);
  const told: (readonly [number, string])[] = [];
  const chunks = plan.chunks({ progress: (share, name) => told.push([share, name]) });
  await chunks.next();
  assert.deepEqual(read, []);
  await chunks.next();
  assert.equal(read.length, 1);
  for await (const _ of chunks);
  assert.deepEqual(read, weights.tensors.map(({ name }) => name));
  assert.equal(new Set(told.map(([, name]) => name)).size, plan.tensorCount);
  assert.ok(
    told.every(([share], i) => share >= 0 && share <= 1 && (i === 0 || share >= told[i - 1]![0])),
  );
});

Deno.test("all that was set of rotary positions is written", async () => {
  const old = await headerOf(planGguf(modelOf({ ...llama, rope_theta: 1e5 }), "f32"));
  assert.equal(old.read.number("llama.rope.freq_base"), 1e5);
  // As transformers 5 writes it: a converter that misses it gives other predictions without a word.
  const parameters = { rope_type: "default", rope_theta: 2e5 };
  const now = await headerOf(planGguf(modelOf({ ...llama, rope_parameters: parameters }), "f32"));
  assert.equal(now.read.number("llama.rope.freq_base"), 2e5);
  const yarn = {
    rope_type: "yarn",
    rope_theta: 1e4,
    factor: 4,
    original_max_position_embeddings: 16,
    attention_factor: 1.5,
  };
  const { read } = await headerOf(planGguf(modelOf({ ...llama, rope_parameters: yarn }), "f32"));
  assert.equal(read.text("llama.rope.scaling.type"), "yarn");
  assert.equal(read.number("llama.rope.scaling.factor"), 4);
  assert.equal(read.count("llama.rope.scaling.original_context_length"), 16);
  // llama.cpp multiplies by 1 + 0.1 ln 4 of its own.
  const factor = read.number("llama.rope.scaling.attn_factor")!;
  assert.ok(Math.abs(factor * (1 + 0.1 * Math.log(4)) - 1.5) < 1e-6);
});

Deno.test("llama 3's scaling is written as factors of the frequencies", async () => {
  const scaling = {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const config = { ...llama, rope_scaling: scaling, rope_theta: 5e5 };
  const { tensors } = await headerOf(planGguf(modelOf(config), "q8_0"));
  const [factors] = tensors;
  assert.deepEqual([factors!.name, factors!.type.name, factors!.shape], [
    "rope_freqs.weight",
    "F32",
    [4],
  ]);
});

Deno.test("a tied head is not written again, nor is one that is the embedding once more", async () => {
  const named = async (model: Parameters<typeof planGguf>[0]) =>
    (await headerOf(planGguf(model, "f32"))).tensors.map(({ name }) => name);
  const tied = { ...llama, tie_word_embeddings: true };
  assert.ok(!(await named(modelOf(tied))).includes("output.weight"));
  assert.ok((await named(modelOf(llama))).includes("output.weight"));
  const { config, weights } = modelOf(llama);
  const aliases = new Map([["lm_head.weight", "model.embed_tokens.weight"]]);
  assert.ok(!(await named({ config: tied, weights, aliases })).includes("output.weight"));
  assert.ok((await named({ config, weights })).includes("output.weight"));
});

Deno.test("what llama.cpp does not know is refused by name", () => {
  const refused = (
    config: ModelConfig,
    message: RegExp,
    change = (weights: StateDict) => weights,
  ) => {
    const weights = sourceOf(change(randomStateDict(config, 1)));
    assert.throws(() => planGguf({ config, weights }, "f16"), { name: "InputError", message });
  };
  const bert = {
    model_type: "distilbert",
    architectures: ["DistilBertForMaskedLM"],
    vocab_size: 20,
    dim: 16,
    hidden_dim: 32,
    n_heads: 2,
    n_layers: 1,
    max_position_embeddings: 16,
  };
  refused(bert, /llama\.cpp does not know models of type "distilbert".*it knows .*llama, mistral/);
  refused(
    { ...llama, max_position_embeddings: 2 ** 32 },
    /llama\.context_length would be 4294967296, and GGUF holds numbers below 2\^32/,
  );
  refused({ ...llama, hidden_act: "relu" }, /activation function is relu, .*llama has silu/);
  const scaled = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  refused(
    { ...llama, model_type: "qwen2", rope_scaling: scaled },
    /does not scale rotary positions by llama3 .* qwen2/,
  );
  refused(
    { ...llama, model_type: "qwen3", attention_bias: true },
    /has a bias of attn_output, but llama\.cpp's architecture qwen3 has none/,
  );
  refused(
    { ...llama, model_type: "gpt_neox", attention_bias: false },
    /has no bias of attn_qkv, but llama\.cpp's architecture gptneox has one/,
  );
  refused(
    llama,
    /tensor model\.extra\.weight has no place/,
    (weights) => new Map([...weights, ["model.extra.weight", weights.get("model.norm.weight")!]]),
  );
});

Deno.test("a tokenizer of more tokens than the model has is refused", () => {
  const vocab = Object.fromEntries(Array.from({ length: 41 }, (_, id) => [`t${id}`, id]));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  const tokenizer = {
    tokenizer: { pre_tokenizer: byteLevel, model: { type: "BPE", vocab, merges: [] } },
  };
  const plan = () => planGguf({ ...modelOf(llama), tokenizer }, "f16");
  assert.throws(plan, (error: unknown) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /has the token "t40" with id 40, but the model has 40 tokens/);
    return true;
  });
});
