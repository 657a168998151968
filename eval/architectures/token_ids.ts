import { InputError } from "../../data/input_error.ts";

/** Throws {@linkcode InputError} if a token id is outside the vocabulary. */
export function checkTokenIds(ids: Int32Array, vocabularySize: number): void {
  const index = ids.findIndex((id) => id < 0 || id >= vocabularySize);
  if (index < 0) return;
  throw new InputError(
    `token id ${ids[index]} at position ${index} is outside the model's vocabulary of ` +
      `${vocabularySize}; the tokenizer belongs to another model`,
  );
}
