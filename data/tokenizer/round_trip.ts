import { InputError } from "../input_error.ts";
import { quoteValue } from "../quote.ts";
import type { TextTokenizer } from "../tokenizer.ts";

/** UTF-16 units that are shown before and behind a difference. */
const SHOWN = 12;
/** So many tokens of a text are looked at. */
const MOST_TOKENS = 1_000_000;

/**
 * Compares a text with what its first tokens are decoded to, and says where they first differ, in a
 * warning that names the text; undefined if they do not. What a tokenizer changes by design does
 * not count: what its normalizer does, spaces at the beginning, and all white space where line
 * breaks and spaces are the same to it. What is left is text that the vocabulary cannot write, or a
 * decoder that does not belong to it.
 */
export function warnOfLostText(
  tokenizer: TextTokenizer,
  name: string,
  text: string,
  tokens: Int32Array,
): string | undefined {
  const decoded = tokenizer.decode(tokens.subarray(0, MOST_TOKENS));
  if (text.startsWith(decoded)) return undefined;
  const comparable = comparison(tokenizer);
  const expected = comparable(text);
  // The last token may be the first bytes of a character only.
  const found = comparable(decoded.replace(/\ufffd{1,3}$/, ""));
  let at = 0;
  while (at < found.length && found[at] === expected[at]) at += 1;
  if (at === found.length) return undefined;
  const shown = (whole: string) => quoteValue(whole.slice(Math.max(0, at - SHOWN), at + SHOWN));
  return `warning: ${name}: the tokenizer does not give it back: ${shown(expected)} became ` +
    `${shown(found)} first, so that the model reads another text`;
}

/** What counts of a text when it is compared. */
function comparison(tokenizer: TextTokenizer): (text: string) => string {
  const sameSpaces = makesSame(tokenizer, "a b", "a\nb");
  return (text) => {
    const normalized = (tokenizer.normalize?.(text) ?? text).replaceAll("\u2581", " ");
    return sameSpaces ? normalized.replaceAll(/\s+/g, "") : normalized.trimStart();
  };
}

function makesSame(tokenizer: TextTokenizer, one: string, other: string): boolean {
  try {
    return tokenizer.encode(one).join() === tokenizer.encode(other).join();
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
