import assert from "node:assert";
import { nameOfPreTokenizer, preTokenizerNames, preTokenizerOf } from "./pre_tokenizers.ts";

Deno.test("pre-tokenizers: what a name means is called by a name that means the same", () => {
  assert.equal(new Set(preTokenizerNames).size, preTokenizerNames.length);
  for (const name of preTokenizerNames) {
    const { preTokenizer, ignoresMerges } = preTokenizerOf(name)!;
    const written = nameOfPreTokenizer(preTokenizer, ignoresMerges)!;
    assert.deepEqual(preTokenizerOf(written), preTokenizerOf(name));
    // In a sequence of one, or with the defaults left out, it is the same.
    const inSequence = { type: "Sequence", pretokenizers: [preTokenizer] };
    assert.equal(nameOfPreTokenizer(inSequence, ignoresMerges), written);
    const text = JSON.stringify(preTokenizer).replaceAll(/,"(use_regex|trim_offsets)":true/g, "");
    assert.equal(nameOfPreTokenizer(JSON.parse(text), ignoresMerges), written);
  }
  assert.equal(preTokenizerOf("nobody-bpe"), undefined);
});

Deno.test("pre-tokenizers: what llama.cpp has no name for has none", () => {
  const byteLevel = { type: "ByteLevel", trim_offsets: true, use_regex: true };
  assert.equal(nameOfPreTokenizer({ ...byteLevel, add_prefix_space: false }, false), "gpt-2");
  assert.equal(nameOfPreTokenizer({ ...byteLevel, add_prefix_space: true }, false), undefined);
  assert.equal(nameOfPreTokenizer(byteLevel, false), undefined);
  assert.equal(nameOfPreTokenizer({ ...byteLevel, add_prefix_space: false }, true), undefined);
  for (const none of [null, undefined, 3, "ByteLevel", { type: "Sequence" }, {}]) {
    assert.equal(nameOfPreTokenizer(none, false), undefined);
  }
});
