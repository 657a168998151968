import assert from "node:assert";
import { memorySource } from "./memory_source.ts";
import { readTextTokenizer } from "./read_tokenizer.ts";

const source = (value: unknown, name: string) =>
  memorySource(new TextEncoder().encode(JSON.stringify(value)), name);

const tokens = ["<unk>", "<s>", "</s>", "<|endoftext|>", "a"];

function tokenizerJson(adds: boolean, type = "Metaspace"): Record<string, unknown> {
  return {
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: type === "Metaspace" ? { type, replacement: "▁", split: true } : { type },
    post_processor: adds
      ? {
        type: "TemplateProcessing",
        single: [
          { SpecialToken: { id: "<s>", type_id: 0 } },
          { Sequence: { id: "A", type_id: 0 } },
        ],
        special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
      }
      : null,
    decoder: null,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
    },
  };
}

interface Case {
  readonly json?: Record<string, unknown>;
  readonly settings?: Record<string, unknown>;
  readonly map?: Record<string, unknown>;
  readonly config?: Record<string, unknown>;
  readonly expected: readonly [bos: number | undefined, eos: number | undefined, adds: boolean];
}

const llama = { tokenizer_class: "LlamaTokenizer" };
const fast = { tokenizer_class: "PreTrainedTokenizerFast" };
const named = { bos_token: "<s>", eos_token: { content: "</s>", lstrip: false } };
const exchanged = { bos_token: "</s>", eos_token: "<s>" };

// What transformers 5.24 made of such folders: bos_token_id, eos_token_id and whether BOS is added.
// Where it adds one that it does not name, its id is given here.
const cases: Record<string, Case> = {
  "the class names both": { settings: llama, expected: [1, 2, true] },
  "the post-processor names BOS": { settings: fast, expected: [1, undefined, true] },
  "no settings at all": { expected: [1, undefined, true] },
  "a null names none, but the post-processor adds": {
    settings: { ...llama, bos_token: null, eos_token: null },
    expected: [1, undefined, true],
  },
  "special_tokens_map.json names them": { settings: fast, map: named, expected: [1, 2, true] },
  "special_tokens_map.json goes before tokenizer_config.json": {
    json: tokenizerJson(false),
    settings: { ...fast, ...named },
    map: exchanged,
    expected: [2, 1, false],
  },
  "unless that has added_tokens_decoder": {
    json: tokenizerJson(false),
    settings: { ...fast, ...named, added_tokens_decoder: {} },
    map: exchanged,
    expected: [1, 2, false],
  },
  "add_bos_token has no say where there is a post-processor": {
    settings: { ...llama, add_bos_token: false },
    expected: [1, 2, true],
  },
  "nor if there is none": {
    json: tokenizerJson(false),
    settings: { ...llama, add_bos_token: true },
    expected: [1, 2, false],
  },
  "the kind of model names the class": {
    json: tokenizerJson(false, "ByteLevel"),
    config: { model_type: "gpt2" },
    expected: [3, 3, false],
  },
  "config.json names the class": {
    json: tokenizerJson(false),
    config: { tokenizer_class: "GPT2TokenizerFast" },
    expected: [3, 3, false],
  },
  "a byte-level tokenizer is not believed to be Llama's": {
    json: tokenizerJson(false, "ByteLevel"),
    settings: llama,
    expected: [undefined, undefined, false],
  },
};

for (const [name, { json, settings, map, config = {}, expected }] of Object.entries(cases)) {
  Deno.test(`special tokens: ${name}`, async () => {
    const { bosTokenId, eosTokenId, addsBos } = await readTextTokenizer(
      source(json ?? tokenizerJson(true), "tokenizer.json"),
      settings && source(settings, "tokenizer_config.json"),
      config,
      map && source(map, "special_tokens_map.json"),
    );
    assert.deepEqual([bosTokenId, eosTokenId, addsBos], expected);
  });
}

Deno.test("a tokenizer of another model's size is refused", async () => {
  await assert.rejects(
    readTextTokenizer(source(tokenizerJson(true), "t.json"), undefined, { vocab_size: 50 }),
    { name: "InputError", message: /^t.json: has 5 tokens, but config.json gives the model 50/ },
  );
});
