import { InputError } from "../data/input_error.ts";
import type { TransformerDescription } from "./architectures/description.ts";
import { checkTokenIds } from "./language_model.ts";

/**
 * Cuts a tokenized text into whole chunks, one after another, as llama.cpp does: BOS goes before the
 * text and replaces the first token of each chunk, where a BOS token is given; the remainder is
 * dropped. Throws {@linkcode InputError} where the text or the context cannot be used.
 */
export function cutIntoChunks(
  tokens: Int32Array,
  model: TransformerDescription,
  contextLength: number,
  bosTokenId?: number,
): Int32Array {
  if (!Number.isSafeInteger(contextLength) || contextLength < 4) {
    throw new InputError(`a context of ${contextLength} tokens is too short; choose at least 4`);
  }
  if (contextLength > model.contextLength) {
    throw new InputError(
      `a context of ${contextLength} tokens is longer than the model's ${model.contextLength}`,
    );
  }
  if (tokens.length === 0) throw new InputError("the text is empty; give one with words in it");
  const begin = bosTokenId === undefined ? [] : [bosTokenId];
  const whole = new Int32Array(begin.length + tokens.length);
  whole.set(begin);
  whole.set(tokens, begin.length);
  checkTokenIds(whole, model.vocabularySize);
  if (whole.length < contextLength) {
    throw new InputError(
      `the text has ${tokens.length} tokens, but one chunk needs ${
        contextLength - begin.length
      }; ` +
        "give a longer text or a smaller context",
    );
  }
  const chunks = whole.slice(0, whole.length - whole.length % contextLength);
  if (bosTokenId !== undefined) {
    for (let at = 0; at < chunks.length; at += contextLength) chunks[at] = bosTokenId;
  }
  return chunks;
}
