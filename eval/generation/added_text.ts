import type { TextTokenizer } from "../../data/tokenizer.ts";

/**
 * The text of tokens that come after others: decoded together with those, since some tokenizers
 * drop a text's first space.
 */
export function decodeAdded(
  tokenizer: Pick<TextTokenizer, "decode">,
  before: ArrayLike<number>,
  added: readonly number[],
): string {
  const beginning = tokenizer.decode(before);
  const whole = tokenizer.decode([...Array.from(before), ...added]);
  return whole.startsWith(beginning) ? whole.slice(beginning.length) : tokenizer.decode(added);
}

/**
 * What a character is decoded to while some of its bytes are in tokens to come. Tokenizers with
 * tokens of single bytes give one for each byte, and for those of whole characters just before.
 */
const NOT_WHOLE = /\ufffd+$/;

/** A text that is shown while its tokens come: of characters that are whole, and nothing is taken back. */
export class GrowingText {
  readonly #tokenizer: Pick<TextTokenizer, "decode">;
  readonly #before: ArrayLike<number>;
  readonly #added: number[] = [];
  #shown = "";

  /** The text of what comes after the tokens of a beginning. */
  constructor(tokenizer: Pick<TextTokenizer, "decode">, before: ArrayLike<number>) {
    this.#tokenizer = tokenizer;
    this.#before = before;
  }

  /** Number of tokens that have come. */
  get tokens(): number {
    return this.#added.length;
  }

  /** All of the text, whether its last character is whole or not. */
  whole(): string {
    return decodeAdded(this.#tokenizer, this.#before, this.#added);
  }

  /** Takes a token, and gives what there is to be shown. */
  add(token: number): string {
    this.#added.push(token);
    const text = this.whole().replace(NOT_WHOLE, "");
    if (!this.#shown.startsWith(text)) this.#shown = text;
    return this.#shown;
  }
}
