import { openModel, type StateDict, type WeightTensor } from "../../../data/mod.ts";
import {
  type BaseEvaluation,
  calibrate,
  evaluateLanguageModel,
  evaluateOriginal,
  type EvaluationResult,
  type ModelConfig,
  readStateDict,
  tensorMetrics,
} from "../../../eval/mod.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import type { TensorMetrics } from "../../../hierarchy/mod.ts";
import { readTextOr } from "../read_text.ts";

/** A model with what calibration found out, ready to be compressed and measured. */
export interface CalibratedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: StateDict;
  /** What errors in each matrix cost, from the calibration text. */
  readonly metrics: TensorMetrics;
  /** Compares weights with the original on the evaluation text. */
  readonly evaluate: (compressed: StateDict) => Promise<EvaluationResult>;
  /** The same on as many chunks from the beginning of the calibration text. */
  readonly evaluateOnCalibration: (
    compressed: StateDict,
    chunks: number,
  ) => Promise<EvaluationResult>;
  /**
   * The same as `evaluate` for a GPT-2 with a tied embedding, if that is used for the head only and
   * the embedding of the inputs is another.
   */
  readonly evaluateUntied: (
    compressed: StateDict,
    inputEmbedding: WeightTensor,
  ) => Promise<EvaluationResult>;
}

/** What {@linkcode openCalibrated} is told. */
export interface CalibratedModelOptions {
  /** Folder of the model; the embedded model if omitted. */
  readonly path?: string;
  /** The whole calibration text. */
  readonly calibrationText: string;
  /** Tokens of it that are used, from its beginning. */
  readonly calibrationTokens: number;
  /** The whole evaluation text. */
  readonly evaluationText: string;
  /** Chunks of it that are used, from its beginning; all if omitted. */
  readonly chunks?: number;
  /** Tokens a chunk, for both. */
  readonly contextLength: number;
}

/** Opens and calibrates a model. */
export async function openCalibrated(options: CalibratedModelOptions): Promise<CalibratedModel> {
  const { contextLength, calibrationTokens, chunks = Infinity } = options;
  const source = await openModel(options.path);
  const { config, name } = source;
  const weights = await readStateDict(source);
  const tokenizer = await source.tokenizer();
  const common = {
    config,
    contextLength,
    ...(tokenizer.addsBos && { bosTokenId: tokenizer.bosTokenId! }),
  };
  const calibrationText = tokenizer.encode(options.calibrationText).subarray(0, calibrationTokens);
  const calibration = await calibrate({ ...common, weights, tokens: calibrationText });
  const metrics = tensorMetrics(describeModel(config, weights.keys()), calibration);
  const text = tokenizer.encode(options.evaluationText);
  const tokens = text.subarray(0, Math.min(text.length, chunks * contextLength));
  /** Comparisons with the original by number of tokens; it is run once for each. */
  const comparison = (whole: Int32Array) => {
    const bases = new Map<number, Promise<{ base: BaseEvaluation }>>();
    return async (compressed: StateDict, count: number) => {
      const options = { ...common, original: weights, tokens: whole.subarray(0, count) };
      if (!bases.has(count)) bases.set(count, evaluateOriginal(options));
      const { base } = await bases.get(count)!;
      return await evaluateLanguageModel({ ...options, compressed, base });
    };
  };
  const compare = comparison(tokens), compareOnCalibration = comparison(calibrationText);
  return {
    name,
    config,
    weights,
    metrics,
    evaluate: (compressed) => compare(compressed, tokens.length),
    evaluateOnCalibration: (compressed, chunks) =>
      compareOnCalibration(compressed, Math.min(calibrationText.length, chunks * contextLength)),
    evaluateUntied: (compressed, inputEmbedding) =>
      evaluateLanguageModel({
        ...common,
        config: { ...config, tie_word_embeddings: false },
        original: untie(weights, weights.get(TIED_EMBEDDING)!),
        compressed: untie(compressed, inputEmbedding),
        tokens,
      }),
  };
}

/** The embedding of a GPT-2, which is also its head. */
export const TIED_EMBEDDING = "transformer.wte.weight";

function untie(weights: StateDict, inputEmbedding: WeightTensor): StateDict {
  const head = weights.get(TIED_EMBEDDING)!;
  return new Map([...weights, ["lm_head.weight", head], [TIED_EMBEDDING, inputEmbedding]]);
}

/** Options of the benches that calibrate and measure the embedded model. */
export const TEXT_OPTIONS = {
  calibration: { type: "string" },
  text: { type: "string" },
  chunks: { type: "string", default: "60" },
  "calibration-tokens": { type: "string", default: "65536" },
} as const;

/** Values of {@linkcode TEXT_OPTIONS}. */
export interface TextValues {
  /** File to calibrate on; the embedded text if omitted. */
  readonly calibration?: string | undefined;
  /** File to measure on; the embedded text if omitted. */
  readonly text?: string | undefined;
  /** Chunks that are measured at most. */
  readonly chunks: string;
  /** Tokens that are calibrated on at most. */
  readonly "calibration-tokens": string;
}

/**
 * The embedded model, or that of a folder, calibrated and measured on the embedded texts or on those of
 * the options.
 */
export async function openEmbeddedCalibrated(
  values: TextValues & { readonly model?: string | undefined },
): Promise<CalibratedModel> {
  const { calibration, text, model } = values;
  return await openCalibrated({
    ...(model !== undefined && { path: model }),
    calibrationText: await readTextOr("calibration", "--calibration", calibration),
    calibrationTokens: Number(values["calibration-tokens"]),
    evaluationText: await readTextOr("evaluation", "--text", text),
    chunks: Number(values.chunks),
    contextLength: 256,
  });
}
