import { InputError } from "../../data/input_error.ts";
import { quoteValue } from "../../data/quote.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import type { ModelConfig } from "../architectures/config.ts";

/**
 * The tokens that end what a model writes: those that `generation_config.json` names, else those of
 * `config.json`, as transformers has it, else the tokenizer's. Throws {@linkcode InputError} if
 * `eos_token_id` is neither a token id nor a list of them.
 *
 * ```ts
 * import { endTokens } from "./end_tokens.ts";
 * import assert from "node:assert";
 *
 * assert.deepEqual(endTokens({ eos_token_id: [7, 9] }, { eosTokenId: 2 }), [7, 9]);
 * assert.deepEqual(endTokens({}, { eosTokenId: 2 }, { eos_token_id: 5 }), [5]);
 * ```
 */
export function endTokens(
  config: ModelConfig,
  { eosTokenId }: Pick<TextTokenizer, "eosTokenId">,
  generationConfig: ModelConfig = {},
): readonly number[] {
  return readEndTokens(generationConfig, "generation_config.json") ??
    readEndTokens(config, "config.json") ?? (eosTokenId === undefined ? [] : [eosTokenId]);
}

function readEndTokens(config: ModelConfig, file: string): readonly number[] | undefined {
  const value = config["eos_token_id"] ?? undefined;
  if (value === undefined) return undefined;
  const ids = Array.isArray(value) ? value : [value];
  const sound = ids.length > 0 && ids.every((id) => Number.isSafeInteger(id) && id >= 0);
  if (sound) return ids;
  throw new InputError(
    `${file}: eos_token_id must be a token id or a list of them, found ${quoteValue(value)}`,
  );
}
