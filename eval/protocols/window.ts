/** A sequence that goes through a model at once, and which of its rows predict which tokens. */
export interface Window {
  /** Token ids. */
  readonly tokens: Int32Array;
  /** Rows of the logits that count, ascending: the first is 0. */
  readonly rows: Int32Array;
  /** The token that each of these rows should find likely. */
  readonly labels: Int32Array;
  /** Number of the stretch of text that the window belongs to, from 0; ascending. */
  readonly chunk: number;
}

/** The whole text and how it is to be cut up. */
export interface WindowText {
  /** Token ids without special tokens. */
  readonly tokens: Int32Array;
  /** Longest window, in tokens. */
  readonly contextLength: number;
  /** Tokens from the beginning of a window to that of the next, where windows overlap. */
  readonly stride?: number;
  /** Begins the text, where the model expects such a token. */
  readonly bosTokenId?: number;
  /** Ends each window of a masked model, where it expects such a token. */
  readonly eosTokenId?: number;
  /** Takes a token's place where a masked model is to predict it. */
  readonly maskTokenId?: number;
}

/** The window `tokens` of which rows `first` .. `end - 1` predict the token that follows each. */
export function nextTokenWindow(
  tokens: Int32Array,
  first: number,
  end: number,
  chunk: number,
): Window {
  const rows = Int32Array.from({ length: end - first }, (_, i) => first + i);
  return { tokens, rows, labels: tokens.slice(first + 1, end + 1), chunk };
}

/** The text's tokens with BOS before them, if there is one. */
export function beginText({ tokens, bosTokenId }: WindowText): Int32Array {
  if (bosTokenId === undefined) return tokens;
  const whole = new Int32Array(1 + tokens.length).fill(bosTokenId);
  whole.set(tokens, 1);
  return whole;
}
