import assert from "node:assert";
import { planWithTokenizer, variantOf } from "./testdata/recorded_tokenizers.ts";

Deno.test("tokenizers that llama.cpp would read in another way are refused, and say why", () => {
  const reasons = {
    "GPT-2 with a space before": /splits texts in a way that llama.cpp has no name for/,
    "BLOOM": /splits texts in a way that llama.cpp has no name for/,
    "without bytes, fused": /has no tokens for single bytes/,
    "words of BPE": /is neither byte-level nor SentencePiece's/,
    "CLIP": /is neither byte-level nor SentencePiece's/,
    "T5": /is of type Unigram/,
    "BERT": /is of type WordPiece/,
    "Metaspace first behind a split": /splits texts by "WhitespaceSplit"/,
    "Strip": /changes texts by "Strip"/,
  };
  for (const [name, message] of Object.entries(reasons)) {
    assert.throws(() => planWithTokenizer(variantOf(name)), { name: "InputError", message }, name);
  }
});

Deno.test("what llama.cpp does in another way is noted", () => {
  const notes = (name: string) => planWithTokenizer(variantOf(name)).notes.join("\n");
  assert.equal(notes("GPT-2"), "");
  assert.match(notes("Qwen 2"), /does not normalize texts \(NFC\)/);
  assert.match(notes("Mistral"), /texts that begin with a space/);
  assert.match(notes("Phi 3"), /added tokens such as "[^"]*" take spaces along/);
});
