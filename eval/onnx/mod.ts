/**
 * Language models as ONNX graphs, for runtimes such as ONNX Runtime. Bundles for browsers.
 *
 * ```ts
 * import { openModel, readStateDict } from "@kanpress/kanpress";
 * import { encodeOnnxModel, languageModelGraph } from "@kanpress/kanpress/onnx";
 * import assert from "node:assert";
 *
 * const source = await openModel(); // the embedded model
 * const graph = languageModelGraph(source.config, await readStateDict(source));
 * assert.equal(graph.inputs[0]!.name, "input_ids");
 * let bytes = 0;
 * for (const part of encodeOnnxModel(graph)) bytes += part.length; // into a file
 * assert.ok(bytes > 1e6);
 * ```
 *
 * @module
 */
export {
  encodeOnnxFiles,
  encodeOnnxModel,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValue,
} from "../../data/onnx/onnx_model.ts";
export { InputError } from "../../data/input_error.ts";
export type { CompressedInput } from "../../hierarchy/read_compressed.ts";
export type { ByteMatrix, WideLines } from "./byte_matrix.ts";
export { decompressToOnnx, type DecompressToOnnxOptions } from "./decompress_to_onnx.ts";
export type { ByteProduct, MatrixForm } from "./matrix_form.ts";
export { languageModelGraph, type OnnxOptions } from "./language_model_graph.ts";
export { onnxTypes, type OnnxWeightType } from "./onnx_types.ts";
