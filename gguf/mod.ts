/**
 * Models as GGUF files for llama.cpp. Bundles for browsers.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { planGguf } from "@kanpress/kanpress/gguf";
 * import assert from "node:assert";
 *
 * const { config, weights } = await openModel(embeddedModelPath());
 * const plan = planGguf({ config, weights }, "f16");
 * const path = `${Deno.makeTempDirSync()}/model.gguf`;
 * await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
 * assert.equal(Deno.statSync(path).size, plan.byteLength);
 * ```
 *
 * @module
 */
export type { DType, TensorInfo, WeightSource, WeightTensor } from "../data/tensor.ts";
export type { ModelConfig } from "../eval/architectures/config.ts";
export { InputError } from "../data/input_error.ts";
export type { CompressedInput } from "../hierarchy/read_compressed.ts";
export { decompressToGguf, type DecompressToGgufOptions } from "./decompress_to_gguf.ts";
export { type GgmlType, ggmlType } from "../data/gguf/types.ts";
export { type GgufModel, type GgufPlan, planGguf, type WriteGgufOptions } from "./plan_gguf.ts";
export { type Quantize, quantizeRows } from "./quantize_rows.ts";
export { type GgufWeightType, ggufWeightTypes } from "./tensor_types.ts";
export type { JsonObject, TokenizerFiles } from "./tokenizer_metadata.ts";
