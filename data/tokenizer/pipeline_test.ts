import assert from "node:assert";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { InputError } from "../input_error.ts";
import { createTextTokenizer, type TextTokenizer } from "../tokenizer.ts";

/** What testdata/record_ids.py wrote. */
interface Recorded {
  readonly library: string;
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, Record<string, unknown>>>;
  readonly variants: readonly Variant[];
}

interface Variant {
  readonly name: string;
  readonly model: string;
  readonly settings: Record<string, unknown>;
  /** For each text its ids with spaces between them, or `!` where the library fails. */
  readonly ids: readonly string[];
  /** What the ids of a text are decoded to, where that is not the text. */
  readonly decoded: Readonly<Record<string, string>>;
  readonly [part: string]: unknown;
}

const file = new URL("./testdata/recorded_ids.json.gz", import.meta.url);
const recorded: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

function build({ model, settings, normalizer, pre_tokenizer, decoder, added_tokens }: Variant) {
  return createTextTokenizer({
    normalizer,
    pre_tokenizer,
    decoder,
    added_tokens,
    post_processor: null,
    model: { ...recorded.models[model], ...settings },
  });
}

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
    const tokenizer = build(variant);
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
