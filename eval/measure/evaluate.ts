import { describeModel } from "../architectures/registry.ts";
import { type EvaluationResult, fingerprintOf, summarizeScores } from "./evaluation_result.ts";
import { chooseProtocol, planWindows, type ProtocolName } from "../protocols/protocol.ts";
import { type BaseStates, scoreWindows, type ScoringOptions } from "../scoring/score_windows.ts";

/** What {@linkcode evaluateLanguageModel} is given. */
export interface EvaluateOptions extends ScoringOptions {
  /** The whole text, tokenized once, without special tokens. */
  readonly tokens: Int32Array;
  /** `"llama.cpp"` if omitted, for masked models `"pseudo"`. */
  readonly protocol?: ProtocolName;
  /**
   * Tokens a chunk; the protocol's usual context if omitted (512, for `gptq` 2048, `huggingface`
   * 1024, `pseudo` 128), but at most the model's.
   */
  readonly contextLength?: number;
  /** Tokens from one window's beginning to the next, `huggingface` only; half of the context. */
  readonly stride?: number;
  /** Begins the text (for some protocols each chunk), where the tokenizer adds such a token. */
  readonly bosTokenId?: number;
  /** Ends each chunk of a masked model. */
  readonly eosTokenId?: number;
  /** Takes a token's place where a masked model is to predict it. */
  readonly maskTokenId?: number;
  /**
   * Tokens that the compressed model was calibrated on: divergences are summed up by how often a token
   * is among them too.
   */
  readonly calibrationTokens?: Int32Array;
  /** What {@linkcode evaluateOriginal} kept of the original on the same text. */
  readonly base?: BaseEvaluation;
}

/** The original's part of an evaluation, to be used in others. */
export interface BaseEvaluation {
  /** Of the text and protocol that it is for. */
  readonly fingerprint: string;
  /** Hidden states before the head. */
  readonly states: BaseStates;
}

/**
 * Measures a language model's perplexity on a text, and how far a second model is from it. By
 * default with llama.cpp's protocol: the text is cut into chunks of `contextLength` tokens, the
 * remainder dropped; the first token of each chunk is replaced by the BOS token if there is one;
 * predictions in the second half of each chunk count. Runs in Web Workers. Throws
 * {@linkcode InputError} where the text is too short, a token is outside the vocabulary, the context
 * is too long, the protocol does not suit the model, or the weights do not fit the config.
 *
 * ```ts
 * import { openModel, embeddedModelPath } from "@kanpress/kanpress/data";
 * import { evaluateLanguageModel, readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const tokenizer = await source.tokenizer();
 * const text = "It was a dark and stormy night, and the carriage had not yet come. ";
 * const { perplexity } = await evaluateLanguageModel({
 *   config: source.config,
 *   original: await readStateDict(source),
 *   tokens: tokenizer.encode(text.repeat(8)),
 *   protocol: "huggingface",
 *   contextLength: 64,
 *   stride: 32,
 * });
 * assert.ok(perplexity.original > 1 && perplexity.original < 4096);
 * ```
 */
export async function evaluateLanguageModel(options: EvaluateOptions): Promise<EvaluationResult> {
  return (await evaluate(options, false)).result;
}

/**
 * Measures the original alone, and keeps its hidden states before the head, so that further calls
 * of {@linkcode evaluateLanguageModel} on the same text need not run it again. They take 4 bytes for
 * each prediction and hidden feature, and give the same numbers.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { evaluateLanguageModel, evaluateOriginal, readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const original = await readStateDict(source);
 * const tokens = Int32Array.from({ length: 64 }, (_, i) => 37 * i % 4096);
 * const options = { config: source.config, original, tokens, contextLength: 32, threads: 1 };
 * const { result, base } = await evaluateOriginal(options);
 * const again = await evaluateLanguageModel({ ...options, base });
 * assert.equal(again.perplexity.original, result.perplexity.original);
 * ```
 */
export async function evaluateOriginal(
  options: Omit<EvaluateOptions, "base" | "compressed">,
): Promise<{ result: EvaluationResult; base: BaseEvaluation }> {
  const { result, states } = await evaluate(options, true);
  return { result, base: { fingerprint: result.fingerprint, states: states ?? [] } };
}

async function evaluate(options: EvaluateOptions, keepsBase: boolean) {
  const model = describeModel(options.config, options.original.keys());
  const settings = chooseProtocol(model, options);
  const windows = planWindows(model, settings, options);
  const fingerprint = await fingerprintOf(windows);
  const { base } = options;
  if (base !== undefined && base.fingerprint !== fingerprint) {
    throw new RangeError("the base was evaluated on another text or with another protocol");
  }
  const reuse = { base: base?.states, keepsBase };
  const { scores, base: states } = await scoreWindows(model, windows, options, reuse);
  const { calibrationTokens } = options;
  const measured = {
    ...{ settings, windows, fingerprint },
    ...(calibrationTokens !== undefined && { calibrationTokens }),
  };
  return { result: summarizeScores(scores, measured), states };
}
