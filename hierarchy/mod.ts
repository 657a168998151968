/**
 * The compressor: levels, quantization, entropy coding and the file.
 *
 * @module
 */
export type { ByteSource } from "../data/byte_source.ts";
export type { DType, StateDict, TensorInfo, WeightSource, WeightTensor } from "../data/tensor.ts";
export { type Effort, EFFORTS } from "./choose_states.ts";
export * from "./compress_input.ts";
export * from "./compressor.ts";
export { type CompressorOptions, type Preset, PRESETS } from "./compressor_options.ts";
export { compressedWeights } from "./compressed_weights.ts";
export { type Container, isContainer, openContainer } from "./file/container.ts";
export { type Stage } from "./levels/level.ts";
export { FORMAT_NAME, FORMAT_VERSION } from "./format/constants.ts";
export { decodesApart } from "./file/decode_groups.ts";
export {
  checkDecodes,
  decodeContainer,
  type DecodeOptions,
  decompressWeights,
} from "./decompress.ts";
export * from "./learned_functions.ts";
export { autoencoderCodec, decodeAutoencoder } from "./levels/autoencoder_codec.ts";
export * from "./levels/autoencoder_level.ts";
export * from "./levels/field_level.ts";
export * from "./levels/level.ts";
export type { ColumnBlock, ErrorMetric } from "./matrix/error_metric.ts";
export * from "./matrix/matrix.ts";
export * from "./levels/level_codec.ts";
export type { MatrixPart, WantedParts } from "./matrix/matrix_part.ts";
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
export { finish, finishWithBreaks, type Steps } from "../workers/steps.ts";
export { CodingWorkers } from "./workers/coding_workers.ts";
export { ScratchArrays } from "./matrix/scratch_arrays.ts";
export type { StoredTensor } from "./file/tensor_names.ts";
