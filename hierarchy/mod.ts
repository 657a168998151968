/**
 * The compressor: a hierarchy of levels that quantizes and codes the weights of a model, at a target
 * in bits, and an account of every byte. Where weights are decoded only, `./decompress` is lighter.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes, report } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * assert.equal(report.compressedBytes, bytes.length);
 * assert.deepEqual(report.tensors[0]!.levels, ["field", "trellis"]);
 * ```
 *
 * @module
 */
export { type Effort, EFFORTS } from "./choose_states.ts";
export type { CompressInput, ModelDescription } from "./compress_input.ts";
export type { CompressedModel } from "./compress_weights.ts";
export { HierarchicalCompressor } from "./compressor.ts";
export { type CompressorOptions, type Preset, PRESETS } from "./compressor_options.ts";
export type { CompressedSource, DecodeOptions } from "./decode_container.ts";
export { decompressWeights } from "./decompress.ts";
export { FORMAT_VERSION } from "./format/constants.ts";
export {
  type AdditiveField,
  type CodeLengths,
  type LearnedFunctions,
  type MatrixFunctions,
  readLearnedFunctions,
} from "./learned_functions.ts";
export type { ColumnBlock, ErrorMetric } from "./matrix/error_metric.ts";
export { factorMetrics, type FactorOptions } from "./metric/factor_metrics.ts";
export type {
  FactoredMetric,
  FactoredMetrics,
  MomentFactor,
  OutputFactor,
  OutputMoment,
  TensorMetric,
  TensorMetrics,
} from "./metric/tensor_metric.ts";
export type { CompressionReport, LevelReport, StageReport, TensorReport } from "./report.ts";
