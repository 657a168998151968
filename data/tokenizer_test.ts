import assert from "node:assert";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { openModel } from "./open_model.ts";
import { createTextTokenizer, type TextTokenizer } from "./tokenizer.ts";

const models = new URL("../../shared/models/", import.meta.url);
const folder = new URL("stories260K/", models);
const ignore = !existsSync(folder);

function load(changes: Record<string, unknown> = {}): TextTokenizer {
  const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
  return createTextTokenizer(read("tokenizer.json"), {
    ...read("tokenizer_config.json"),
    ...changes,
  });
}

const small = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "Fuse" },
  model: { type: "BPE", vocab: { a: 0, b: 1, ab: 5 }, merges: ["a b"], unk_token: null },
};

Deno.test({
  name: "stories260K begins every text with BOS, which encode leaves out",
  ignore,
  fn() {
    const tokenizer = load();
    assert.equal(tokenizer.vocabularySize, 512);
    assert.deepStrictEqual([tokenizer.bosTokenId, tokenizer.eosTokenId], [1, 2]);
    assert.equal(tokenizer.addsBos, true);
    assert.equal(tokenizer.decode(tokenizer.encode("Once upon a time")), "Once upon a time");
    assert(!tokenizer.encode("Once").includes(1));
  },
});

Deno.test({
  name: "the post-processor alone says whether BOS is added, as in transformers 5",
  ignore,
  fn() {
    for (const changes of [{}, { add_bos_token: false }, { bos_token: null }]) {
      const { bosTokenId, addsBos } = load(changes);
      assert.deepStrictEqual([bosTokenId, addsBos], [1, true]);
    }
    assert.equal(load({ eos_token: { content: "<s>", special: true } }).eosTokenId, 1);
  },
});

// Counts and hashes of the ids by the Rust library tokenizers 0.23.2.
const references: readonly [model: string, text: string, count: number, hash: string][] = [
  ["stories260K", "tinystories-eval.txt", 81734, "bb35999dffee83d0"],
  ["prose-4m", "prose-eval.txt", 79650, "ccdbaaca1b96d00e"],
  ["prose-4m", "tinystories-eval.txt", 46271, "dc4f1fef2dfb48b5"],
];

for (const [model, text, count, hash] of references) {
  Deno.test({
    name: `${model} splits ${text} as the Rust library does`,
    ignore,
    async fn() {
      const tokenizer = await (await openModel(fileURLToPath(new URL(model, models)))).tokenizer();
      const ids = tokenizer.encode(readFileSync(new URL(`../data/${text}`, models), "utf8"));
      assert.equal(ids.length, count);
      const bytes = new Uint8Array(ids.buffer);
      assert.equal(createHash("sha256").update(bytes).digest("hex").slice(0, 16), hash);
    },
  });
}

Deno.test({
  name: "any text comes back from its tokens, by way of byte tokens where need be",
  ignore,
  fn() {
    const tokenizer = load();
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), (text) => {
        fc.pre(!/<\/?s>|<unk>|\u2581/.test(text));
        assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
      }),
      { seed: 3, numRuns: 200 },
    );
  },
});

Deno.test("empty texts and lists are empty", () => {
  const tokenizer = createTextTokenizer(small);
  assert.deepStrictEqual(tokenizer.encode(""), new Int32Array());
  assert.equal(tokenizer.decode([]), "");
  assert.equal(tokenizer.vocabularySize, 6);
});

Deno.test("ids without a token write nothing, and what is not an id is refused", () => {
  const tokenizer = createTextTokenizer(small);
  assert.equal(tokenizer.decode([0, 3, 1, 4000]), "ab");
  for (const id of [-1, 0.5, NaN]) {
    assert.throws(() => tokenizer.decode([id]), {
      name: "RangeError",
      message: /is not a token id/,
    });
  }
});

function replaceModel(changes: Record<string, unknown>): Record<string, unknown> {
  return { ...small, model: { ...small.model, ...changes } };
}

Deno.test("a vocabulary as large as Qwen's is read", () => {
  const words = Array.from({ length: 200_000 }, (_, id) => [`w${id}`, id]);
  const tokenizer = createTextTokenizer(replaceModel({
    vocab: Object.fromEntries(words),
    merges: [],
    ignore_merges: true,
  }));
  assert.equal(tokenizer.vocabularySize, 200_000);
  assert.deepEqual(tokenizer.encode("w123456"), Int32Array.of(123456));
});

/** Normalizers within each other. */
function nested(depth: number): unknown {
  let normalizer: unknown = { type: "NFC" };
  for (let i = 0; i < depth; i++) normalizer = { type: "Sequence", normalizers: [normalizer] };
  return normalizer;
}

Deno.test("what is damaged or not supported is refused by its name", () => {
  const split = (Regex: string) => ({ type: "Split", pattern: { Regex }, behavior: "Isolated" });
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ model: {} }, /^m\/tokenizer.json: model.vocab should be an object/],
    [{}, /model should be an object/],
    [replaceModel({ vocab: { a: 2 ** 28 } }), /gives "a" the id 268435456/],
    [replaceModel({ vocab: { a: -1 } }), /gives "a" the id -1/],
    [replaceModel({ merges: ["a c"] }), /merges "c" in merges\[0\]/],
    [replaceModel({ dropout: 0.1 }), /model uses dropout, which is not supported/],
    [replaceModel({ new_rule: 1 }), /model uses new_rule, which is not supported/],
    [{ ...small, normalizer: { type: "Rot13" } }, /normalizer uses Rot13/],
    [{ ...small, pre_tokenizer: { type: "UnicodeScripts" } }, /pre_tokenizer uses UnicodeScripts/],
    [{ ...small, pre_tokenizer: split("(a)\\1") }, /the regular expression .* \(it has \\1\)/],
    [{ ...small, normalizer: nested(30_000) }, /is nested more than 20 deep/],
    [
      { ...small, model: { type: "WordPiece", vocab: { ["a".repeat(2000)]: 0 } } },
      /a token of 2000 characters/,
    ],
    [{ ...small, decoder: { type: "CTC" } }, /decoder uses CTC/],
    [{ ...small, decoder: { type: "constructor" } }, /decoder uses constructor/],
    [{ ...small, normalizer: { type: "valueOf" } }, /normalizer uses valueOf/],
    [{ ...small, pre_tokenizer: { type: "__proto__" } }, /pre_tokenizer uses __proto__/],
    [replaceModel({ type: "constructor" }), /model uses constructor/],
    [{ ...small, added_tokens: [{ id: 9, content: "z" }] }, /"z" the id 9, but .* its id is 3/],
  ];
  for (const [json, message] of cases) {
    assert.throws(() => createTextTokenizer(json, {}, "m/tokenizer.json"), {
      name: "InputError",
      message,
    });
  }
});

Deno.test("a regular expression that would run for ever ends in an error", () => {
  const tokenizer = createTextTokenizer({
    ...small,
    pre_tokenizer: { type: "Split", pattern: { Regex: "(?:b|bb)+a" }, behavior: "Isolated" },
  });
  assert.deepEqual(tokenizer.encode("bba"), Int32Array.of(1, 1, 0));
  assert.throws(() => tokenizer.encode("b".repeat(100)), {
    name: "InputError",
    message: /pre_tokenizer: the regular expression .* takes too many steps on this text/,
  });
});

Deno.test("only as much of a text is tokenized as is asked for", () => {
  const tokenizer = createTextTokenizer({
    ...small,
    pre_tokenizer: { type: "Split", pattern: { Regex: "(?:b|bb)+a" }, behavior: "Isolated" },
  });
  // Whoever looks at its end gives up.
  const text = "bba".repeat(10) + "b".repeat(200);
  assert.throws(() => tokenizer.encode(text), /takes too many steps/);
  assert.deepEqual(tokenizer.encode(text, 5), Int32Array.of(1, 1, 0, 1, 1));
});

Deno.test("BERT's special tokens begin, end and mask", () => {
  const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##able", "he", "."];
  const special = words.slice(0, 5).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const tokenizer = createTextTokenizer({
    added_tokens: special,
    normalizer: { type: "BertNormalizer", lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "[CLS]", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { SpecialToken: { id: "[SEP]", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##" },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
    },
  }, { cls_token: "[CLS]", sep_token: "[SEP]", mask_token: "[MASK]" });
  assert.deepEqual([...tokenizer.encode("He unable.")], [7, 5, 6, 8]);
  const { bosTokenId, eosTokenId, maskTokenId, addsBos } = tokenizer;
  assert.deepEqual([bosTokenId, eosTokenId, maskTokenId, addsBos], [2, 3, 4, true]);
});
