import type { StateDict } from "../../data/tensor.ts";
import type { CompressInput } from "../../hierarchy/compress_input.ts";
import { type CompressedModel, compressWeights } from "../../hierarchy/compress_weights.ts";
import { type CompressorOptions, resolveOptions } from "../../hierarchy/compressor_options.ts";
import {
  type BaseEvaluation,
  evaluateLanguageModel,
  type EvaluateOptions,
  evaluateOriginal,
} from "./evaluate.ts";

/** What {@linkcode compressToDivergence} is given: a model, a text, and how to compress. */
export interface CompressToDivergenceOptions
  extends Omit<EvaluateOptions, "base" | "compressed" | "roundsAlike" | "onProgress"> {
  /** The mean KL divergence from the original that the model may have on the text, in nats. */
  readonly maxDivergence: number;
  /** How to compress; a target in `bits` or `bytes` is refused. */
  readonly compressor?: CompressorOptions;
  /** What goes into the file, and what calibration found out. */
  readonly input?: CompressInput;
}

/** What {@linkcode compressToDivergence} gives. */
export interface DivergenceResult {
  /** The smallest file. */
  readonly compressed: CompressedModel;
  /** The original's part of evaluations on the same text. */
  readonly base: BaseEvaluation;
}

/** To be raised with any change of the divergence that is measured of given weights. */
const MEASURE_VERSION = 1;
/** Share of the progress that is measuring the original. */
const ORIGINAL_SHARE = 0.15;

/**
 * Compresses a model to the smallest file whose mean KL divergence from the original on a text is
 * at most `maxDivergence`, and within 5 % of it. The original is run once, the compressed model at
 * each of a few trials. The size is chosen on the text that is measured, so the divergence there
 * meets the target by construction: measure on another text where an independent figure is wanted.
 * Progress of all of it goes to `compressor.onProgress`.
 *
 * Throws {@linkcode InputError} if the target cannot be reached, with the least divergence that
 * can, and for the same reasons as {@linkcode evaluateLanguageModel} and the compressor.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { compressToDivergence, readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const tokens = Int32Array.from({ length: 128 }, (_, i) => 37 * i % 4096);
 * const { compressed } = await compressToDivergence({
 *   config: source.config,
 *   original: await readStateDict(source),
 *   tokens,
 *   contextLength: 64,
 *   maxDivergence: 0.05,
 *   compressor: { effort: "fast" },
 * });
 * assert.ok(compressed.report.bitsPerWeight < 8);
 * ```
 */
export async function compressToDivergence(
  { maxDivergence, compressor = {}, input = {}, ...evaluation }: CompressToDivergenceOptions,
): Promise<DivergenceResult> {
  const { onProgress } = compressor;
  // What is measured decides the bytes.
  const measured = { ...evaluation, roundsAlike: true };
  const resolved = resolveOptions({
    ...compressor,
    onProgress: (activity, share) =>
      onProgress?.(activity, ORIGINAL_SHARE + (1 - ORIGINAL_SHARE) * share),
  });
  const { base } = await evaluateOriginal({
    ...measured,
    onProgress: (share) => onProgress?.("measuring the original", ORIGINAL_SHARE * share),
  });
  const divergence = {
    most: maxDivergence,
    measuredBy: `${MEASURE_VERSION} ${base.fingerprint} ${evaluation.backend ?? "wasm"}`,
    async measure(weights: StateDict, progress: (share: number) => void) {
      const options = { ...measured, compressed: weights, base, onProgress: progress };
      return (await evaluateLanguageModel(options)).klDivergence!.mean;
    },
  };
  const compressed = await compressWeights(
    evaluation.original,
    { ...input, divergence },
    resolved,
  );
  return { compressed, base };
}
