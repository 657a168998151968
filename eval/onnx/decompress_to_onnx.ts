import { InputError } from "../../data/input_error.ts";
import { encodeOnnxFiles } from "../../data/onnx/onnx_model.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import { codedWeights } from "../../hierarchy/coded_weights.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import { decodeContainer, type DecodeOptions } from "../../hierarchy/decode_container.ts";
import { type Container, openContainer } from "../../hierarchy/file/container.ts";
import { type CompressedInput, readCompressed } from "../../hierarchy/read_compressed.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import { readByteMatrices } from "./byte_matrices.ts";
import { languageModelGraph } from "./language_model_graph.ts";
import type { ByteProduct, MatrixForm } from "./matrix_form.ts";
import { onnxFileNames, type OnnxWeightType } from "./onnx_types.ts";

const PRODUCTS: Readonly<Partial<Record<OnnxWeightType, ByteProduct>>> = {
  q8: "DequantizeLinear",
  int8: "MatMulNBits",
};

/** How {@linkcode decompressToOnnx} works. */
export interface DecompressToOnnxOptions extends DecodeOptions {
  /** The model's config.json, where the compressed file has none. */
  readonly config?: ModelConfig;
  /** Most bytes of a file; 2 GiB, the format's limit, if omitted. */
  readonly largestFile?: number;
  /** Told the share of the decoding that is done, 0 to 1; with `q8` and `int8` only. */
  readonly onProgress?: (share: number) => void;
}

/**
 * A compressed model as the ONNX files that transformers.js looks for in the folder `onnx`, by their
 * names, each in parts: `model.onnx` for `f32`, `model_fp16.onnx`, `model_quantized.onnx` for `q8` and
 * `model_int8.onnx`, and for models beyond 2 GiB their data beside them. `q8` and `int8` have the
 * integers that the model is coded as, so that its values are the decoded ones to the rounding of
 * float32, and differ in what multiplies by them: `q8` suits processors, `int8` graphics cards.
 *
 * Throws {@linkcode InputError} if the file is damaged, has no config, is of a model that cannot be
 * written, or has values beyond f16, or, for `q8` and `int8`, no integers.
 *
 * ```ts
 * import { HierarchicalCompressor, openModel, readStateDict } from "@kanpress/kanpress";
 * import { decompressToOnnx } from "@kanpress/kanpress/onnx";
 * import assert from "node:assert";
 *
 * const source = await openModel(); // the embedded model
 * const { bytes } = await new HierarchicalCompressor({ bits: 4, effort: "fast" })
 *   .compress(await readStateDict(source), { config: source.config });
 * // In a page: (await fetch("model.kan.safetensors")).body
 * const files = await decompressToOnnx(bytes, "q8");
 * assert.deepEqual([...files.keys()], ["model_quantized.onnx"]);
 * ```
 */
export async function decompressToOnnx(
  compressed: CompressedInput,
  type: OnnxWeightType,
  options: DecompressToOnnxOptions = {},
): Promise<Map<string, Uint8Array[]>> {
  const container = await openContainer(await readCompressed(compressed, options.signal));
  return await onnxFiles(container, type, options);
}

/** What {@linkcode decompressToOnnx} gives; `decoded` are the weights where they are known. */
export async function onnxFiles(
  container: Container,
  type: OnnxWeightType,
  options: DecompressToOnnxOptions,
  decoded?: StateDict,
): Promise<Map<string, Uint8Array[]>> {
  const config = options.config ?? container.config;
  if (config === undefined) {
    throw new InputError(
      `${container.file ?? "the compressed model"}: has no config; give the model's config.json`,
    );
  }
  const product = PRODUCTS[type];
  const matrices: MatrixForm = product !== undefined
    ? await byteForm(container, config, product, options)
    : { kind: type === "f16" ? "float16" : "float32" };
  const weights = decoded ??
    (matrices.kind === "bytes"
      ? await weightsBeside(container, matrices.matrices, options)
      : await decodeContainer(container, options));
  const graph = languageModelGraph(config, weights, { matrices });
  return encodeOnnxFiles(graph, onnxFileNames[type], options.largestFile);
}

async function byteForm(
  container: Container,
  config: ModelConfig,
  product: ByteProduct,
  options: DecompressToOnnxOptions,
): Promise<MatrixForm> {
  const coded = codedWeights(container, options);
  if (coded === undefined) {
    throw new InputError(
      `${
        container.file ?? "the compressed model"
      }: its levels do not code integers, which 8 bits ` +
        "need; write f16 or f32, or compress with the preset rate",
    );
  }
  const names = [...container.tensors.map(({ name }) => name), ...container.aliases.keys()];
  const model = describeModel(config, names);
  const matrices = await readByteMatrices(model, coded, options.onProgress);
  return { kind: "bytes", matrices, product };
}

/** All weights but those that are bytes, which have their shapes only. */
async function weightsBeside(
  container: Container,
  bytes: ReadonlyMap<string, unknown>,
  options: DecodeOptions,
): Promise<StateDict> {
  const source = containerWeights(container, options);
  const weights = new Map<string, WeightTensor>();
  for (const { name, dtype, shape } of source.tensors) {
    weights.set(
      name,
      bytes.has(name) ? { dtype, shape, data: new Float32Array() } : await source.read(name),
    );
  }
  return weights;
}
