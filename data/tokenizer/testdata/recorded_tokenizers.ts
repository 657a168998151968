import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { createTextTokenizer } from "../../tokenizer.ts";

/** What record_ids.py wrote. */
interface Recorded {
  readonly library: string;
  readonly texts: readonly string[];
  readonly models: Readonly<Record<string, Record<string, unknown>>>;
  readonly variants: readonly Variant[];
}

/** A tokenizer, and what the Rust library gives with it. */
export interface Variant {
  readonly name: string;
  readonly model: string;
  readonly settings: Record<string, unknown>;
  /** For each text its ids with spaces between them, or `!` where the library fails. */
  readonly ids: readonly string[];
  /** What the ids of a text are decoded to, where that is not the text. */
  readonly decoded: Readonly<Record<string, string>>;
  readonly [part: string]: unknown;
}

const file = new URL("./recorded_ids.json.gz", import.meta.url);
/** All that is recorded. */
export const recorded: Recorded = JSON.parse(gunzipSync(readFileSync(file)).toString());

/** A recorded tokenizer. */
export function recordedTokenizer(
  { model, settings, normalizer, pre_tokenizer, decoder, added_tokens }: Variant,
) {
  return createTextTokenizer({
    normalizer,
    pre_tokenizer,
    decoder,
    added_tokens,
    post_processor: null,
    model: { ...recorded.models[model], ...settings },
  });
}
