/**
 * kanpress compresses the weights of language models with a hierarchy of Kolmogorov-Arnold levels
 * and measures what each bit costs. This is what most programs need; the rest stands under the
 * entry points `./data`, `./hierarchy`, `./decompress`, `./eval`, `./baselines`, `./kan`, `./plots`
 * and `./onnx`.
 *
 * ```ts
 * import { decompressWeights, HierarchicalCompressor, loadLanguageModel, openModel, useBackend } from "@kanpress/kanpress";
 * import assert from "node:assert";
 *
 * await useBackend("wasm");
 * const model = await loadLanguageModel(await openModel()); // the embedded model
 * const compressor = new HierarchicalCompressor({ bits: 4, effort: "fast" });
 * const { bytes, report } = await compressor.compress(model.stateDict());
 * assert.ok(report.bitsPerWeight <= 4);
 * model.loadStateDict(await decompressWeights(bytes));
 * ```
 *
 * @module
 */
export {
  embeddedModelPath,
  readEmbeddedCalibration,
  readEmbeddedText,
} from "./data/embedded_model.ts";
export { InputError } from "./data/input_error.ts";
export type { ModelSource } from "./data/model_source.ts";
export { openModel } from "./data/open_model.ts";
export type { StateDict, WeightTensor } from "./data/tensor.ts";
export type { TextTokenizer } from "./data/tokenizer.ts";
export { calibrate } from "./eval/calibration/calibrate.ts";
export { sampleTokens } from "./eval/calibration/sample_tokens.ts";
export { tensorMetrics } from "./eval/calibration/tensor_metrics.ts";
export { useBackend } from "./eval/compute/backend.ts";
export { generateText } from "./eval/generation/generate.ts";
export {
  createLanguageModel,
  LanguageModel,
  loadLanguageModel,
} from "./eval/generation/language_model.ts";
export { readStateDict } from "./eval/weights/read_state_dict.ts";
export { compressToDivergence } from "./eval/measure/compress_to_divergence.ts";
export {
  evaluateLanguageModel,
  type EvaluateOptions,
  evaluateOriginal,
} from "./eval/measure/evaluate.ts";
export type { EvaluationResult } from "./eval/measure/evaluation_result.ts";
export type { CompressedModel } from "./hierarchy/compress_weights.ts";
export { HierarchicalCompressor } from "./hierarchy/compressor.ts";
export type { CompressorOptions } from "./hierarchy/compressor_options.ts";
export { decompressWeights } from "./hierarchy/decompress.ts";
export { factorMetrics } from "./hierarchy/metric/factor_metrics.ts";
