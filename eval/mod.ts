/**
 * Language models on tfjs and how they are measured.
 *
 * @module
 */
export type { Architecture } from "./architectures/architecture.ts";
export type { ModelConfig } from "./architectures/config.ts";
export * from "./architectures/description.ts";
export { architectureOf, describeModel, isIgnorableTensor } from "./architectures/registry.ts";
export { type ActivationName, activationNames } from "./architectures/activation_names.ts";
export { type BackendName, backendNames, useBackend } from "./compute/backend.ts";
export {
  calibrate,
  type CalibrateOptions,
  type Calibration,
  type LinearCalibration,
} from "./calibration/calibrate.ts";
export { type SampleOptions, sampleTokens } from "./calibration/sample_tokens.ts";
export { tensorMetrics } from "./calibration/tensor_metrics.ts";
export type { TensorMetric, TensorMetrics } from "../hierarchy/metric/tensor_metric.ts";
export { compareRuns, type RunComparison, type RunFigures } from "./measure/compare_runs.ts";
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
export { evaluateByLayer, type EvaluateByLayerOptions } from "./measure/evaluate_by_layer.ts";
export type { ChunkMeans, EvaluationResult, Pair } from "./measure/evaluation_result.ts";
export {
  chooseProtocol,
  planWindows,
  type ProtocolChoice,
  type ProtocolName,
  protocolNames,
  type ProtocolSettings,
} from "./protocols/protocol.ts";
export type { Window, WindowText } from "./protocols/window.ts";
export type { BaseStates, ScoringOptions } from "./scoring/score_windows.ts";
export {
  evaluateTask,
  type SampleOutcome,
  type TaskMetric,
  type TaskOptions,
  type TaskResult,
  type TaskSample,
} from "./tasks/evaluate_task.ts";
export type { Continuation } from "./tasks/task.ts";
export type { TaskRequest } from "./tasks/task_plan.ts";
export { taskNames } from "./tasks/registry.ts";
export { clusterEstimate, type Estimate } from "./scores/statistics.ts";
export type { ForwardOptions } from "./model/forward.ts";
export { endTokens } from "./generation/end_tokens.ts";
export {
  generateText,
  generateTokens,
  type GenerationOptions,
  type TextGenerationOptions,
} from "./generation/generate.ts";
export { KeyValueCache } from "./layers/key_value_cache.ts";
export { type LayerCache, type Step } from "./layers/layer_cache.ts";
export type { Tap } from "./layers/tap.ts";
export {
  createLanguageModel,
  LanguageModel,
  type LanguageModelSource,
  loadLanguageModel,
  readStateDict,
} from "./generation/language_model.ts";
export type { SamplingOptions } from "./generation/sample_token.ts";
export { languageModelGraph, type OnnxOptions } from "./onnx/language_model_graph.ts";
export * from "./plots/mod.ts";
