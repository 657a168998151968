import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { readJsonObject } from "./json_file.ts";
import { createTextTokenizer, type TextTokenizer } from "./tokenizer.ts";

/**
 * Reads a tokenizer from its `tokenizer.json` and, where there is one, `tokenizer_config.json`. Throws
 * {@linkcode InputError} where it is unusable or cannot be that of a model with this `config.json`.
 *
 * ```ts
 * import { embeddedModelPath, openFile, readTextTokenizer } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const file = await openFile(`${embeddedModelPath()}/tokenizer.json`);
 * const tokenizer = await readTextTokenizer(file, undefined, { vocab_size: 4096 });
 * assert.equal(tokenizer.vocabularySize, 4096);
 * await assert.rejects(readTextTokenizer(file, undefined, { vocab_size: 50257 }), /has 4096 tokens/);
 * ```
 */
export async function readTextTokenizer(
  file: ByteSource,
  settings: ByteSource | undefined,
  config: Readonly<Record<string, unknown>>,
): Promise<TextTokenizer> {
  const tokenizer = createTextTokenizer(
    await readJsonObject(file),
    settings === undefined ? {} : await readJsonObject(settings),
    file.name,
  );
  checkVocabulary(file.name, tokenizer, config);
  return tokenizer;
}

/** Models are padded to round numbers, tokenizers get tokens added; more than this is neither. */
const LARGEST_DIFFERENCE = 0.25;

/** Throws {@linkcode InputError} where a tokenizer cannot be that of the model. */
function checkVocabulary(
  file: string,
  { vocabularySize }: TextTokenizer,
  { vocab_size: expected }: Readonly<Record<string, unknown>>,
): void {
  if (typeof expected !== "number") return;
  if (Math.abs(vocabularySize - expected) <= LARGEST_DIFFERENCE * expected) return;
  throw new InputError(
    `${file}: has ${vocabularySize} tokens, but config.json gives the model ${expected}; they ` +
      "belong to different models: use the tokenizer that came with the weights",
  );
}
