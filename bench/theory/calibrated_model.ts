import { openModel, type StateDict } from "../../data/mod.ts";
import {
  calibrate,
  describeModel,
  evaluateLanguageModel,
  type EvaluationResult,
  type ModelConfig,
  readStateDict,
  tensorMetrics,
} from "../../eval/mod.ts";
import type { TensorMetrics } from "../../hierarchy/mod.ts";

/** A model with what calibration found out, ready to be compressed and measured. */
export interface CalibratedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: StateDict;
  /** What errors in each matrix cost, from the calibration text. */
  readonly metrics: TensorMetrics;
  /** Compares weights with the original on the evaluation text. */
  readonly evaluate: (compressed: StateDict) => Promise<EvaluationResult>;
}

/** What {@linkcode openCalibrated} is told. */
export interface CalibratedModelOptions {
  /** Folder of the model; the embedded model where absent. */
  readonly path?: string;
  /** The whole calibration text. */
  readonly calibrationText: string;
  /** Tokens of it that are used, from its beginning. */
  readonly calibrationTokens: number;
  /** The whole evaluation text. */
  readonly evaluationText: string;
  /** Chunks of it that are used, from its beginning; all where absent. */
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
  const calibration = await calibrate({
    ...common,
    weights,
    tokens: tokenizer.encode(options.calibrationText).subarray(0, calibrationTokens),
  });
  const metrics = tensorMetrics(describeModel(config, weights.keys()), calibration);
  const text = tokenizer.encode(options.evaluationText);
  const tokens = text.subarray(0, Math.min(text.length, chunks * contextLength));
  return {
    name,
    config,
    weights,
    metrics,
    evaluate: (compressed) =>
      evaluateLanguageModel({ ...common, original: weights, compressed, tokens }),
  };
}

/** The embedded model, calibrated and evaluated on the prose texts of ../shared. */
export async function openEmbeddedCalibrated(
  calibrationTokens: number,
  chunks: number,
): Promise<CalibratedModel> {
  const folder = new URL("../../../shared/data/", import.meta.url);
  return await openCalibrated({
    calibrationText: await Deno.readTextFile(new URL("prose-calibration.txt", folder)),
    calibrationTokens,
    evaluationText: await Deno.readTextFile(new URL("prose-eval.txt", folder)),
    chunks,
    contextLength: 256,
  });
}
