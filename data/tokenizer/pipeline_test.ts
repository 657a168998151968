import assert from "node:assert";
import { InputError } from "../input_error.ts";
import type { TextTokenizer } from "../tokenizer.ts";
import { recorded, recordedTokenizer } from "./testdata/recorded_tokenizers.ts";

function idsOf(tokenizer: TextTokenizer, text: string): string {
  try {
    return tokenizer.encode(text).join(" ");
  } catch (error) {
    if (error instanceof InputError) return "!";
    throw error;
  }
}

Deno.test(`at least 60 tokenizers and 40 texts are recorded from ${recorded.library}`, () => {
  assert.ok(recorded.variants.length >= 60 && recorded.texts.length >= 40);
});

for (const variant of recorded.variants) {
  Deno.test(`${variant.name}: ids and texts are those of the Rust library`, () => {
    const tokenizer = recordedTokenizer(variant);
    recorded.texts.forEach((text, index) => {
      const ids = idsOf(tokenizer, text);
      assert.equal(ids, variant.ids[index], JSON.stringify(text));
      if (ids === "!") return;
      const list = ids.split(" ").filter((id) => id !== "").map(Number);
      assert.equal(tokenizer.decode(list), variant.decoded[index] ?? text);
      for (const most of [0, 1, 3]) {
        assert.deepEqual([...tokenizer.encode(text, most)], list.slice(0, most));
      }
    });
  });
}
