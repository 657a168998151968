/**
 * The compressor: levels, quantization, entropy coding and the file.
 *
 * @module
 */
export type { ByteSource } from "../data/byte_source.ts";
export type { DType, StateDict, TensorInfo, WeightSource, WeightTensor } from "../data/tensor.ts";
export { type Effort, EFFORTS } from "./choose_states.ts";
export * from "./compressor.ts";
export { type CompressorOptions, type Preset, PRESETS } from "./compressor_options.ts";
export { compressedWeights } from "./compressed_weights.ts";
export { type Container, isContainer, openContainer, type Stage } from "./container.ts";
export { FORMAT_NAME, FORMAT_VERSION } from "./format/constants.ts";
export { decodesApart } from "./decode_groups.ts";
export { decodeContainer, decompressWeights } from "./decompress.ts";
export * from "./learned_functions.ts";
export { autoencoderCodec, decodeAutoencoder } from "./levels/autoencoder_codec.ts";
export * from "./levels/autoencoder_level.ts";
export * from "./levels/field_level.ts";
export * from "./levels/level.ts";
export * from "./levels/level_codec.ts";
export type { MatrixPart } from "./levels/matrix_part.ts";
export * from "./levels/plan_autoencoder.ts";
export type { TrainingOptions } from "./levels/train_autoencoder.ts";
export {
  createTrellisLevel,
  decodeTrellis,
  trellisCodec,
  type TrellisLevelOptions,
} from "./levels/trellis_level.ts";
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
export * from "./report.ts";
export { CodingWorkers } from "./workers/coding_workers.ts";
export { ScratchArrays } from "./workers/scratch_arrays.ts";
export type { StoredTensor } from "./tensor_names.ts";
export * from "./baselines/baseline.ts";
export * from "./baselines/baselines.ts";
export * from "./baselines/compress_with_baseline.ts";
export * from "./baselines/dual_scale.ts";
export * from "./baselines/gguf_q2_k.ts";
export * from "./baselines/gguf_q3_k.ts";
export * from "./baselines/gguf_q4_0.ts";
export * from "./baselines/gguf_q4_k.ts";
export * from "./baselines/gguf_q5_k.ts";
export * from "./baselines/gguf_q6_k.ts";
export * from "./baselines/gguf_q8_0.ts";
export * from "./baselines/gptq.ts";
export * from "./baselines/half_quadratic.ts";
export * from "./baselines/normal_float.ts";
export * from "./baselines/pruning.ts";
export * from "./baselines/round_to_nearest.ts";
export type { AffineGridOptions } from "./baselines/affine_grid.ts";
