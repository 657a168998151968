import { InputError } from "../../data/input_error.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import type { Window } from "../protocols/window.ts";
import type { Continuation, LabelledText } from "./task.ts";

/**
 * The window that scores a continuation, as lm-eval cuts it: spaces at the end of the context belong
 * to the continuation; the whole is tokenized at once, and the tokens beyond those of the context
 * alone are the continuation's; an empty context is the token that begins a text; what does not fit
 * the model is cut off at the beginning. No BOS is added otherwise, which is lm-eval's default.
 */
export function continuationWindow(
  { context, continuation }: Continuation,
  tokenizer: TextTokenizer,
  contextLength: number,
  chunk: number,
): Window {
  const kept = context.trimEnd();
  const whole = tokenizer.encode(context + continuation);
  const before = kept === "" ? beginning(tokenizer) : tokenizer.encode(kept);
  const labels = kept === "" ? whole : whole.slice(before.length);
  if (labels.length === 0) {
    throw new InputError(`the continuation ${JSON.stringify(continuation)} has no tokens`);
  }
  const all = kept === "" ? Int32Array.of(...before, ...whole) : whole;
  const tokens = all.slice(0, -1).slice(-contextLength);
  const scored = labels.slice(-tokens.length);
  const first = tokens.length - scored.length;
  const rows = Int32Array.from(scored, (_, i) => first + i);
  return { tokens, rows, labels: scored, chunk };
}

function beginning({ bosTokenId, eosTokenId }: TextTokenizer): Int32Array {
  const token = bosTokenId ?? eosTokenId;
  if (token !== undefined) return Int32Array.of(token);
  throw new InputError("a context is empty, and the tokenizer names no token that begins a text");
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
