/**
 * Language models on tfjs: loading, calibration, evaluation and generation. Bundles for browsers.
 * Models are described by `./eval/architectures`, measured layer by layer and compared run by run by
 * `./eval/measure`, and asked questions by `./eval/tasks`.
 *
 * ```ts
 * import { openModel } from "@kanpress/kanpress/data";
 * import { generateText, loadLanguageModel, useBackend } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * await useBackend("wasm");
 * const source = await openModel(); // the embedded model
 * const model = await loadLanguageModel(source);
 * const tokenizer = await source.tokenizer();
 * const text = await generateText(model, tokenizer, "The old house", { maxTokens: 4 });
 * assert.ok(text.length > 0);
 * ```
 *
 * @module
 */
export type { ModelConfig } from "./architectures/config.ts";
export type { ModelSummary } from "./architectures/description.ts";
export { calibrate, type CalibrateOptions } from "./calibration/calibrate.ts";
export type { Calibration, LinearCalibration } from "./calibration/calibration.ts";
export { type SampleOptions, sampleTokens } from "./calibration/sample_tokens.ts";
export { tensorMetrics } from "./calibration/tensor_metrics.ts";
export type { Tensor3D } from "../kan/numeric/tensor_types.ts";
export type { BackendName, TfjsBackend } from "./compute/backend_names.ts";
export { useBackend } from "./compute/backend.ts";
export {
  generateText,
  generateTokens,
  type GenerationOptions,
  type TextGenerationOptions,
} from "./generation/generate.ts";
export {
  createLanguageModel,
  LanguageModel,
  loadLanguageModel,
} from "./generation/language_model.ts";
export type { Checkpoint } from "./weights/model_tensors.ts";
export { readStateDict } from "./weights/read_state_dict.ts";
export type { SamplingOptions } from "./generation/sample_token.ts";
export { KeyValueCache } from "./layers/key_value_cache.ts";
export {
  compressToDivergence,
  type CompressToDivergenceOptions,
  type DivergenceResult,
} from "./measure/compress_to_divergence.ts";
export {
  type BaseEvaluation,
  evaluateLanguageModel,
  type EvaluateOptions,
  evaluateOriginal,
} from "./measure/evaluate.ts";
export type { ChunkMeans, EvaluationResult, Pair } from "./measure/evaluation_result.ts";
export type { ForwardOptions } from "./model/forward.ts";
export type { GenerativeModel } from "./model/token_runner.ts";
export type { ProtocolChoice, ProtocolName, ProtocolSettings } from "./protocols/protocol.ts";
export type { Estimate } from "./scores/statistics.ts";
export type { BaseStates, ScoringOptions } from "./scoring/score_windows.ts";
