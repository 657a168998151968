import { InputError } from "../../data/input_error.ts";
import type { Window, WindowText } from "./window.ts";

/**
 * Pseudo-perplexity of a masked model (Salazar et al., 2020): the text is cut into chunks that, with
 * the tokens that begin and end a text, fill the context; each token in turn is masked and predicted
 * from all others of its chunk. The last chunk may be shorter.
 */
export function pseudoPerplexityWindows(text: WindowText): Window[] {
  const { tokens, contextLength, bosTokenId, eosTokenId, maskTokenId } = text;
  if (maskTokenId === undefined) {
    throw new InputError(
      "the tokenizer names no mask token; add mask_token to its tokenizer_config.json",
    );
  }
  const before = bosTokenId === undefined ? [] : [bosTokenId];
  const after = eosTokenId === undefined ? [] : [eosTokenId];
  const size = contextLength - before.length - after.length;
  return Array.from(tokens, (label, at) => {
    const chunk = Math.floor(at / size);
    const inside = tokens.subarray(chunk * size, (chunk + 1) * size);
    const row = before.length + at - chunk * size;
    const masked = Int32Array.of(...before, ...inside, ...after);
    masked[row] = maskTokenId;
    return { tokens: masked, rows: Int32Array.of(row), labels: Int32Array.of(label), chunk };
  });
}
