/**
 * Reading and writing models: safetensors, byte sources, tokenizers, the hub.
 *
 * @module
 */
export type { ByteSource } from "./byte_source.ts";
export * from "./dtype.ts";
export { embeddedModelPath, readEmbeddedCalibration, readEmbeddedText } from "./embedded_model.ts";
export * from "./file_source.ts";
export { assertFinite } from "./finite.ts";
export * from "./from_float32.ts";
export type { DownloadProgress, FileFetch, HubOptions } from "./hub_model.ts";
export * from "./input_error.ts";
export * from "./memory_source.ts";
export type { ModelSource } from "./model_source.ts";
export { narrowsSafely } from "./narrowing.ts";
export * from "./naming.ts";
export { openDataFile } from "./open_data_file.ts";
export * from "./onnx/onnx_model.ts";
export { openCompanions, openModel } from "./open_model.ts";
export { printableLine, printableText } from "./printable.ts";
export { type DataRecord, readRecords } from "./records.ts";
export { encodeSafetensors, type TensorBytes } from "./safetensors_encode.ts";
export * from "./safetensors_file.ts";
export {
  readSafetensorsHeader,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from "./safetensors_header.ts";
export { openShardedSafetensors, type ShardedWeights } from "./safetensors_shards.ts";
export * from "./safetensors_write.ts";
export { readTensorRows } from "./read_rows.ts";
export { readTextTokenizer } from "./read_tokenizer.ts";
export * from "./tensor.ts";
export * from "./to_float32.ts";
export * from "./tokenizer.ts";
export type { RequestOptions } from "./http.ts";
export * from "./url_source.ts";
export { weightsDigest } from "./weights_digest.ts";
export * from "./write_file.ts";
