import { InputError } from "../../data/input_error.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { quoteValue } from "../../data/quote.ts";
import type { Window } from "../protocols/window.ts";
import type { Continuation, LabelledText } from "./task.ts";

/** White space at the end of a text as Python's `rstrip`, by which lm-eval cuts, sees it. */
const trailingSpace = /\p{White_Space}+$/u;

/**
 * The window that scores a continuation, as lm-eval (0.4.9.2 and later) cuts it: spaces at the end
 * of the context belong to the continuation; the whole is tokenized at once, and the tokens beyond
 * those of the context alone are the continuation's; both begin with BOS where the tokenizer adds
 * it, unless the text itself does; an empty context is the token that begins a text; what does not
 * fit the model is cut off at the beginning.
 */
export function continuationWindow(
  { context, continuation }: Continuation,
  tokenizer: TextTokenizer,
  contextLength: number,
  chunk: number,
): Window {
  const kept = context.replace(trailingSpace, "");
  const [before, whole] = kept === ""
    ? afterBeginning(tokenizer, context + continuation)
    : [encodeText(tokenizer, kept), encodeText(tokenizer, context + continuation)];
  const labels = whole.slice(before.length);
  if (labels.length === 0) {
    throw new InputError(`the continuation ${quoteValue(continuation)} has no tokens`);
  }
  const tokens = whole.slice(0, -1).slice(-contextLength);
  const scored = labels.slice(-tokens.length);
  const first = tokens.length - scored.length;
  const rows = Int32Array.from(scored, (_, i) => first + i);
  return { tokens, rows, labels: scored, chunk };
}

/** Token ids of a text with BOS before them, where the tokenizer adds it and it is not there yet. */
function encodeText(tokenizer: TextTokenizer, text: string): Int32Array {
  const ids = tokenizer.encode(text);
  const { addsBos, bosTokenId } = tokenizer;
  if (!addsBos || bosTokenId === undefined || ids[0] === bosTokenId) return ids;
  return Int32Array.of(bosTokenId, ...ids);
}

/** A text with the token that begins one before it, as the context and the whole. */
function afterBeginning(tokenizer: TextTokenizer, text: string): [Int32Array, Int32Array] {
  const ids = tokenizer.encode(text);
  const token = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
  if (token === undefined) {
    throw new InputError(
      "a context is empty, and the tokenizer names no token that begins a text",
    );
  }
  const before = Int32Array.of(token);
  return [before, ids[0] === token ? ids : Int32Array.of(token, ...ids)];
}

/** The window that classifies a text, between the tokens that begin and end one. */
export function classificationWindow(
  { text, label }: LabelledText,
  tokenizer: TextTokenizer,
  contextLength: number,
  chunk: number,
): Window {
  const { bosTokenId, eosTokenId } = tokenizer;
  if (bosTokenId === undefined || eosTokenId === undefined) {
    throw new InputError(
      "the tokenizer names no cls_token and sep_token; add them to tokenizer_config.json",
    );
  }
  const inside = tokenizer.encode(text).subarray(0, contextLength - 2);
  const tokens = Int32Array.of(bosTokenId, ...inside, eosTokenId);
  return { tokens, rows: Int32Array.of(0), labels: Int32Array.of(label), chunk };
}
