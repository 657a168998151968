/**
 * kanpress compresses the weights of language models with a hierarchy of Kolmogorov-Arnold levels
 * and measures what each bit costs. This is what most programs need; the rest stands under the
 * entry points `./data`, `./hierarchy`, `./decompress`, `./eval`, `./baselines`, `./kan`, `./plots`
 * and `./onnx`.
 *
 * ```ts
 * import { compress, decompress, openModel } from "@kanpress/kanpress";
 * import assert from "node:assert";
 *
 * const model = await openModel(); // the embedded model; or openModel("./my-model")
 * const out = `${Deno.makeTempDirSync()}/small`;
 * const { report } = await compress(model, { bits: 4, effort: "fast", calibrationTokens: 1024, out });
 * assert.ok(report.bitsPerWeight <= 4);
 * const weights = await decompress(out); // Float32Arrays by name
 * assert.ok(weights.get("transformer.wte.weight")!.data.length > 0);
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
export { compress, type CompressModelOptions } from "./cli/compress/compress_model.ts";
export { decompress } from "./cli/input/decompress_file.ts";
export type { CompressedModel } from "./hierarchy/compress_weights.ts";
export { HierarchicalCompressor } from "./hierarchy/compressor.ts";
export type { CompressorOptions } from "./hierarchy/compressor_options.ts";
export { decompressWeights } from "./hierarchy/decompress.ts";
export { factorMetrics } from "./hierarchy/metric/factor_metrics.ts";
