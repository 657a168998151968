/**
 * Reading and writing models: safetensors, byte sources, tokenizers, the hub.
 *
 * ```ts
 * import { openModel } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const source = await openModel(); // or a folder, or a name on the hub
 * const tokenizer = await source.tokenizer();
 * assert.equal(tokenizer.decode(tokenizer.encode("a small test")), "a small test");
 * const { shape, data } = await source.weights.read("transformer.wte.weight");
 * assert.equal(data.length, shape[0]! * shape[1]!);
 * ```
 *
 * @module
 */
export type { ByteSource } from "./byte_source.ts";
export { type CalibrationText, readCalibrationTexts } from "./calibration_texts.ts";
export { embeddedModelPath, readEmbeddedCalibration, readEmbeddedText } from "./embedded_model.ts";
export { openFile } from "./file_source.ts";
export { fromFloat32 } from "./from_float32.ts";
export type { RequestOptions } from "./http.ts";
export type { DownloadProgress, FileFetch, HubOptions } from "./hub_model.ts";
export { InputError } from "./input_error.ts";
export { memorySource } from "./memory_source.ts";
export type { ModelSource } from "./model_source.ts";
export { openDataFile } from "./open_data_file.ts";
export { openCompanions, openModel } from "./open_model.ts";
export { readTextTokenizer } from "./read_tokenizer.ts";
export { type DataRecord, readRecords } from "./records.ts";
export { encodeSafetensors, type TensorBytes } from "./safetensors_encode.ts";
export { openSafetensors, type SafetensorsFile } from "./safetensors_file.ts";
export type { SafetensorsTensor } from "./safetensors_header.ts";
export { openShardedSafetensors, type ShardedWeights } from "./safetensors_shards.ts";
export { type LazyTensorBytes, writeSafetensors } from "./safetensors_write.ts";
export type { DType, StateDict, TensorInfo, WeightSource, WeightTensor } from "./tensor.ts";
export { toFloat32 } from "./to_float32.ts";
export { createTextTokenizer, type TextTokenizer } from "./tokenizer.ts";
export { openUrl } from "./url_source.ts";
export { weightsDigest } from "./weights_digest.ts";
export type { WriteOptions } from "./write_file.ts";
