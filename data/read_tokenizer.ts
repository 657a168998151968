import type { ByteSource } from "./byte_source.ts";
import { readJsonObject } from "./json_file.ts";
import { joinSettings } from "./tokenizer/special_tokens.ts";
import { createTextTokenizer, type TextTokenizer } from "./tokenizer.ts";
import { checkVocabularySize } from "./tokenizer_size.ts";

/**
 * Reads a tokenizer from its `tokenizer.json` and, where there are such, `tokenizer_config.json` and
 * `special_tokens_map.json`, of which transformers' rules say which one goes before the other. Throws
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
  specialTokensMap?: ByteSource,
): Promise<TextTokenizer> {
  const read = async (source: ByteSource | undefined) =>
    source === undefined ? undefined : await readJsonObject(source);
  const joined = joinSettings(await read(settings), await read(specialTokensMap), config);
  const tokenizer = createTextTokenizer(await readJsonObject(file), joined, file.name);
  checkVocabularySize(file.name, tokenizer.vocabularySize, config);
  return tokenizer;
}
