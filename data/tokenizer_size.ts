import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { isJsonObject, readJsonObject } from "./json_file.ts";

/**
 * Throws an {@linkcode InputError} if a `tokenizer.json` cannot be that of a model with this
 * `config.json`, by the number of its tokens. Unlike `readTextTokenizer` it takes tokenizers of
 * every kind, also those that kanpress cannot run.
 */
export async function checkTokenizerFile(
  file: ByteSource,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  checkVocabularySize(file.name, tokenizerSize(await readJsonObject(file)), config);
}

/** One more than the largest token id that the parsed contents of a `tokenizer.json` name. */
export function tokenizerSize(json: Readonly<Record<string, unknown>>): number {
  const { model, added_tokens: added } = json;
  let size = 0;
  const count = (id: unknown) => {
    if (Number.isSafeInteger(id)) size = Math.max(size, Number(id) + 1);
  };
  const vocabulary = isJsonObject(model) ? model["vocab"] : undefined;
  // A list gives each token its place as its id.
  if (Array.isArray(vocabulary)) count(vocabulary.length - 1);
  else if (isJsonObject(vocabulary)) Object.values(vocabulary).forEach(count);
  if (Array.isArray(added)) {
    for (const token of added) if (isJsonObject(token)) count(token["id"]);
  }
  return size;
}

/** Models are padded to round numbers, tokenizers get tokens added; more than this is neither. */
const LARGEST_DIFFERENCE = 0.25;

/** Throws {@linkcode InputError} if a tokenizer of this many tokens cannot be that of the model. */
export function checkVocabularySize(
  file: string,
  size: number,
  { vocab_size: expected }: Readonly<Record<string, unknown>>,
): void {
  if (typeof expected !== "number") return;
  if (Math.abs(size - expected) <= LARGEST_DIFFERENCE * expected) return;
  throw new InputError(
    `${file}: has ${size} tokens, but config.json gives the model ${expected}; they ` +
      "belong to different models: use the tokenizer that came with the weights",
  );
}
