import type { ByteSource } from "./byte_source.ts";
import { readJsonObject } from "./json_file.ts";
import { createTextTokenizer, type TextTokenizer } from "./tokenizer.ts";
import { checkVocabularySize } from "./tokenizer_size.ts";

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
  checkVocabularySize(file.name, tokenizer.vocabularySize, config);
  return tokenizer;
}
