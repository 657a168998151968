import { InputError } from "../../data/input_error.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { decodeAdded } from "./added_text.ts";
import { endTokens } from "./end_tokens.ts";
import type { GenerativeModel } from "../model/token_runner.ts";
import { checkSampling, sampleToken, type SamplingOptions } from "./sample_token.ts";

/** How {@linkcode generateTokens} continues a text. */
export interface GenerationOptions extends SamplingOptions {
  /** Seed of the draws: the same model, prompt and options give the same tokens; 0 if omitted. */
  readonly seed?: number;
  /** Ends the text when it, or one of them, is drawn. */
  readonly eosTokenId?: number | readonly number[];
  /** Most threads; all cores if omitted. The result does not depend on it. */
  readonly threads?: number;
  /** Stops with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * How {@linkcode generateText} continues a text. Without `eosTokenId`, the model's config and the
 * tokenizer say what ends it, see {@linkcode endTokens}.
 */
export interface TextGenerationOptions extends GenerationOptions {
  /** Most tokens to add; 100 if omitted. */
  readonly maxTokens?: number;
}

/**
 * Continues a sequence of token ids without end, or up to and without an `eosTokenId`. Keys and values
 * are cached; when the model's context is full, it goes on from the last half of it. Throws
 * {@linkcode InputError} for an empty prompt and for options that make no sense.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { generateTokens, loadLanguageModel, useBackend } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * await useBackend("wasm");
 * const source = await openModel(embeddedModelPath());
 * const model = await loadLanguageModel(source);
 * const tokenizer = await source.tokenizer();
 * const prompt = tokenizer.encode("It was a");
 * for await (const token of generateTokens(model, prompt, { temperature: 0 })) {
 *   assert.equal(typeof tokenizer.decode([token]), "string");
 *   break;
 * }
 * ```
 */
export async function* generateTokens(
  model: GenerativeModel,
  prompt: Int32Array,
  options: GenerationOptions = {},
): AsyncGenerator<number> {
  checkSampling(options);
  if (prompt.length === 0) throw new InputError("the prompt is empty; give at least one token");
  const { contextLength, objective, modelType } = model.description;
  if (objective !== "nextToken") {
    throw new InputError(
      `this ${modelType} model cannot continue a text: it predicts no next token`,
    );
  }
  options.signal?.throwIfAborted();
  const random = createRandom(options.seed ?? 0);
  const tokens = [...prompt];
  const ends = new Set([options.eosTokenId ?? []].flat());
  let pending = prompt.slice(-contextLength);
  const runner = await model.startRunner(options);
  try {
    while (true) {
      options.signal?.throwIfAborted();
      const logits = await runner.run(pending, 1);
      const token = sampleToken(logits, options, random);
      if (ends.has(token)) return;
      yield token;
      tokens.push(token);
      if (runner.length < contextLength) {
        pending = Int32Array.of(token);
      } else {
        runner.reset();
        pending = Int32Array.from(tokens.slice(-Math.ceil(contextLength / 2)));
      }
    }
  } finally {
    runner.dispose();
  }
}

/**
 * Continues a text and returns what was added. An empty prompt is allowed where the tokenizer has a
 * token that begins texts. Throws {@linkcode InputError} as {@linkcode generateTokens} does.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { generateText, loadLanguageModel, useBackend } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * await useBackend("wasm");
 * const source = await openModel(embeddedModelPath());
 * const model = await loadLanguageModel(source);
 * const text = await generateText(model, await source.tokenizer(), "She opened the door and", {
 *   maxTokens: 5,
 *   temperature: 0.8,
 *   seed: 1,
 * });
 * assert.ok(text.length > 0);
 * ```
 */
export async function generateText(
  model: GenerativeModel,
  tokenizer: TextTokenizer,
  prompt: string,
  options: TextGenerationOptions = {},
): Promise<string> {
  const { bosTokenId, addsBos } = tokenizer;
  const encoded = tokenizer.encode(prompt);
  const begins = bosTokenId !== undefined && (addsBos || encoded.length === 0);
  const ids = begins ? Int32Array.of(bosTokenId, ...encoded) : encoded;
  const added = await collectTokens(model, tokenizer, ids, options);
  return decodeAdded(tokenizer, encoded, added);
}

/** The tokens that a model adds to a prompt, at most `maxTokens`. */
export async function collectTokens(
  model: GenerativeModel,
  tokenizer: TextTokenizer,
  prompt: Int32Array,
  { maxTokens = 100, ...sampling }: TextGenerationOptions,
): Promise<number[]> {
  const generation = { eosTokenId: endTokens(model.config, tokenizer), ...sampling };
  const added: number[] = [];
  if (maxTokens > 0) {
    for await (const token of generateTokens(model, prompt, generation)) {
      added.push(token);
      if (added.length >= maxTokens) break;
    }
  }
  return added;
}
