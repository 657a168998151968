import type { StateDict } from "../data/tensor.ts";
import type { ModelConfig } from "./architectures/config.ts";
import { describeModel } from "./architectures/registry.ts";
import type { BackendName } from "./backend.ts";
import type { EvaluateSetup } from "./evaluate_worker.ts";
import { type EvaluationResult, summarizeScores } from "./evaluation_result.ts";
import { checkTensors } from "./expected_tensors.ts";
import { planMemory } from "./memory_plan.ts";
import { prepareWeights } from "./prepared_weights.ts";
import { cutIntoChunks } from "./text_chunks.ts";
import { joinScores, type TokenScores } from "./token_scores.ts";
import { runInWorkers } from "./worker_pool.ts";

/** What {@linkcode evaluateLanguageModel} is given. */
export interface EvaluateOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The weights as they were. */
  readonly original: StateDict;
  /** The weights after compression, to be compared with the original. */
  readonly compressed?: StateDict;
  /** The whole text, tokenized once, without special tokens. */
  readonly tokens: Int32Array;
  /** Tokens a chunk, at least 4; the model's context where absent, but at most 512. */
  readonly contextLength?: number;
  /** Begins the text and each chunk, for models whose tokenizer adds such a token. */
  readonly bosTokenId?: number;
  /** Number of workers; all cores where absent. The result does not depend on it. */
  readonly threads?: number;
  /** Where tfjs computes; `"wasm"` where absent. */
  readonly backend?: BackendName;
  /** Called with the share of the chunks that are done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Tokens that one job runs through the model at once, unless one chunk is longer. */
const tokensPerJob = 1024;

/**
 * Perplexity by the protocol of llama.cpp, and the divergence between two models: the text is cut
 * into chunks of `contextLength` tokens, the remainder dropped; the first token of each chunk is
 * replaced by the BOS token where there is one; predictions in the second half of each chunk count.
 * Runs in Web Workers. Throws {@linkcode InputError} where the text is too short, a token is outside
 * the vocabulary, the context is too long, or the weights do not fit the config.
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
 *   contextLength: 64,
 * });
 * assert.ok(perplexity.original > 1 && perplexity.original < 4096);
 * ```
 */
export async function evaluateLanguageModel(options: EvaluateOptions): Promise<EvaluationResult> {
  const { config, original, compressed, signal } = options;
  const model = describeModel(config, original.keys());
  const contextLength = options.contextLength ?? Math.min(512, model.contextLength);
  const chunks = cutIntoChunks(options.tokens, model, contextLength, options.bosTokenId);
  const weights = compressed === undefined ? [original] : [original, compressed];
  const chunksPerJob = Math.max(1, Math.floor(tokensPerJob / contextLength));
  const { resident } = planMemory(model, {
    copies: weights.length,
    batchTokens: chunksPerJob * contextLength,
    contextLength,
    backward: false,
  });
  const models = weights.map((dict) => {
    checkTensors(config, model, Array.from(dict, ([name, { shape }]) => ({ name, shape })));
    return prepareWeights(model, dict, true);
  });
  const jobs: Int32Array[] = [];
  const size = chunksPerJob * contextLength;
  for (let at = 0; at < chunks.length; at += size) jobs.push(chunks.slice(at, at + size));
  let done = 0;
  const scores = await runInWorkers<EvaluateSetup, Int32Array, TokenScores>({
    module: new URL("./evaluate_worker.ts", import.meta.url),
    threads: options.threads ?? navigator.hardwareConcurrency,
    setup: {
      description: model,
      models,
      resident,
      contextLength,
      backend: options.backend ?? "wasm",
    },
    jobs,
    onResult: () => options.onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
  return summarizeScores(joinScores(scores), chunks.length / contextLength, contextLength);
}
