import { join } from "node:path";
import { quote } from "../data/quote.ts";
import { isJsonObject, readJsonObject } from "../data/json_file.ts";
import {
  type ByteSource,
  type DType,
  fromFloat32,
  InputError,
  type LazyTensorBytes,
  openFile,
  type StateDict,
  writeSafetensors,
} from "../data/mod.ts";
import { NarrowingCheck } from "../data/narrowing.ts";
import { printableLine } from "../data/printable.ts";
import { releaseMemory } from "../data/release_memory.ts";
import { elementCount, type TensorInfo } from "../data/tensor.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { cardName } from "../data/model_files.ts";
import type { GgufWeightType } from "../gguf/tensor_types.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { containerPieces } from "../hierarchy/container_pieces.ts";
import { containerWeights } from "../hierarchy/container_weights.ts";
import { type Container, openContainer } from "../hierarchy/file/container.ts";
import { decodesApart } from "../hierarchy/file/decode_groups.ts";
import { formatBytes, formatCount } from "../eval/report/number_text.ts";
import { requireCompressed } from "./input/compressed_argument.ts";
import { copyFiles } from "./compress/compressed_output.ts";
import { findCompanions, findDocuments, isNamed } from "./input/find_companions.ts";
import { licencesIn, readCardOrigin, restoredCard } from "./compress/model_card.ts";
import { GGUF_NAME, RESTORED_METADATA, RESTORED_NAME, restoredFolder } from "./output/kinds.ts";
import {
  decodedAtOnce,
  decodeOnce,
  GGUF_SUFFIX,
  planRestored,
  type RestoredModel,
  writeGgufFile,
  writePlan,
} from "./restored_gguf.ts";
import { chooseOnnxTypes, type OnnxChoice, writeOnnx } from "./restored_onnx.ts";
import { openOutput } from "./output/output.ts";
import { cardWithList, listFiles } from "./output/written_files.ts";
import type { Progress } from "./terminal/phases.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `decompress`. */
export interface DecompressOptions {
  /** The model that the compressed one was made from, for its tokenizer. */
  readonly original?: string;
  /** Folder to write, or a `.gguf` file. */
  readonly out: string;
  /** Element type of the weights to write. */
  readonly dtype: "f32" | "f16" | "bf16";
  /** Types of ONNX files to write too. */
  readonly onnx?: OnnxChoice;
  /** Type of the matrices of a GGUF file to write too, or alone. */
  readonly gguf?: GgufWeightType;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/** transformers' names of the element types, in config.json. */
const CONFIG_DTYPES = { f32: "float32", f16: "float16", bf16: "bfloat16" };
const FLOATS: readonly DType[] = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"];
/** From here on, f16 rounds to infinity. */
const F16_END = 65520;

/** `decompress`: writes a compressed model as an ordinary model folder, or as a GGUF file. */
export async function decompress(
  argument: string,
  options: DecompressOptions,
  run: Run,
): Promise<void> {
  const input = await requireCompressed(argument);
  const container = await run.phase("read", () => openContainer(input.source));
  const companions = await findCompanions(input, container, options.original, run);
  const documents = await findDocuments(input);
  const origin = await readCardOrigin(container.source, documents);
  const config = await readConfig(input.source.name, companions, container);
  const found = { container, companions, documents, origin, config };
  await (options.out.endsWith(GGUF_SUFFIX)
    ? writeGgufFile(found, options, run)
    : writeFolder(found, options, run));
}

async function writeFolder(
  found: RestoredModel,
  { out, dtype, gguf, onnx: asked, json }: DecompressOptions,
  run: Run,
): Promise<void> {
  const { container, companions, documents, origin, config } = found;
  using output = await openOutput(out, restoredFolder);
  const onnx = chooseOnnxTypes(asked, container, run);
  const decode = decodeOnce(container, run);
  // ONNX files take all weights at once, and so do levels that code all matrices together.
  const isWhole = onnx.length > 0 || !decodesApart(container);
  const weights = isWhole
    ? decodedAtOnce(container, decode)
    : containerWeights(container, { signal: run.signal });
  // What cannot be written as GGUF is said before the work.
  const plan = gguf === undefined ? undefined : await planRestored(found, weights, gguf, run);
  const decoded = isWhole ? await decode() : new Map();
  if (output.replaces) run.writeLine(`replacing the model in ${out}`);
  await run.phase("write", (progress) =>
    output.publish(async (folder) => {
      const others = companions.filter(({ name }) => !isNamed(name, "config.json"));
      await copyFiles([...others, ...licencesIn(documents)], folder);
      const settings = await writeOnnx(folder, found, decoded, onnx, progress, run);
      await writeConfig(join(folder, "config.json"), { ...config, ...settings }, dtype);
      if (plan !== undefined) await writePlan(plan, join(folder, GGUF_NAME), progress, run);
      await writeSafetensors(
        join(folder, RESTORED_NAME),
        storedAs(dtype, weights.tensors, piecesOf(found.container, decoded, progress, run)),
        RESTORED_METADATA,
        { signal: run.signal },
      );
      const [architecture] = Array.isArray(config["architectures"]) ? config["architectures"] : [];
      const card = restoredCard(origin, {
        dtype,
        onnx,
        gguf: plan !== undefined,
        architecture: String(architecture),
      });
      const text = cardWithList(card, listFiles(folder));
      await writeFileAtomically(join(folder, cardName), [new TextEncoder().encode(text)]);
    }));
  const { byteLength } = await openFile(join(out, RESTORED_NAME));
  if (json) {
    run.printJson({ out, dtype, onnx, gguf, tensors: weights.tensors.length, bytes: byteLength });
  } else {
    run.print(
      `${formatCount(weights.tensors.length)} tensors as ${dtype}, ${formatBytes(byteLength)}\n` +
        `written to ${printableLine(out)}`,
    );
  }
}

/** The model's config: the compressed file's own, or else that of the files beside it. */
async function readConfig(
  name: string,
  companions: readonly ByteSource[],
  container: Container,
): Promise<ModelConfig> {
  const file = companions.find(({ name }) => isNamed(name, "config.json"));
  const config = container.config ?? (file && await readJsonObject(file));
  if (isJsonObject(config)) return config;
  throw new InputError(`${name}: the compressed file has no config; copy config.json beside it`);
}

/** How the original's weights were quantized: no longer true of them, and read by transformers. */
const QUANTIZATION_KEYS = ["quantization_config", "compression_config"];

/** Keys of config.json where transformers 5 refuses numbers that are written without a point. */
const FLOAT_KEYS = [
  "attn_logit_softcapping",
  "final_logit_softcapping",
  "init_std",
  "initializer_range",
  "layer_norm_eps",
  "layer_norm_epsilon",
  "norm_epsilon",
  "rms_norm_eps",
];
const WHOLE_FLOAT = new RegExp(`^(  "(?:${FLOAT_KEYS.join("|")})": \\d+)(,?)$`, "gm");

/** Writes config.json for the weights as they are now: their element type, and not quantized. */
async function writeConfig(
  path: string,
  config: ModelConfig,
  dtype: DecompressOptions["dtype"],
): Promise<void> {
  const changed = Object.fromEntries(
    Object.entries(config).filter(([key]) => !QUANTIZATION_KEYS.includes(key)).map((
      [key, value],
    ) => key === "dtype" || key === "torch_dtype" ? [key, CONFIG_DTYPES[dtype]] : [key, value]),
  );
  const text = `${JSON.stringify(changed, undefined, 2).replace(WHOLE_FLOAT, "$1.0$2")}\n`;
  await writeFileAtomically(path, [new TextEncoder().encode(text)]);
}

/** What gives the values of a tensor in pieces: of those that are decoded, or as they are decoded. */
function piecesOf(
  container: Container,
  decoded: StateDict,
  progress: Progress,
  { signal }: Run,
): (name: string) => AsyncGenerator<Float32Array, void> {
  if (decoded.size > 0) {
    return async function* (name) {
      yield decoded.get(name)!.data;
    };
  }
  const { tensors, aliases } = container;
  const sizes = new Map(tensors.map(({ name, shape }) => [name, elementCount(shape)]));
  const names = [...sizes.keys(), ...aliases.values()];
  const all = names.reduce((sum, name) => sum + sizes.get(name)!, 0);
  const pieces = containerPieces(container, { signal });
  let done = 0;
  return async function* (name) {
    for await (const values of pieces(name)) {
      const { length } = values;
      yield values;
      releaseMemory(values);
      done += length;
      progress(done / all);
    }
  };
}

/**
 * The tensors to write: floats at the element type that was asked for, others at their own. Making
 * them throws {@linkcode InputError} where a tensor's values are beyond either end of what the type can
 * tell apart.
 */
function storedAs(
  asked: DecompressOptions["dtype"],
  tensors: readonly TensorInfo[],
  piecesOf: (name: string) => AsyncGenerator<Float32Array, void>,
): LazyTensorBytes[] {
  const target: DType = asked === "f32" ? "F32" : asked === "f16" ? "F16" : "BF16";
  return tensors.map(({ name, dtype, shape }) => {
    const stored = FLOATS.includes(dtype) ? target : dtype;
    const bytes = async function* () {
      const check = new NarrowingCheck(stored);
      for await (const values of piecesOf(name)) {
        check.add(values);
        yield fromFloat32(stored, values);
      }
      if (check.isSafe()) return;
      const isLarge = check.largest >= F16_END;
      const wider = stored === "F16" ? "bf16 or f32" : "f32";
      throw new InputError(
        `tensor ${quote(name)}: its values are too ${isLarge ? "large" : "small"} for ` +
          `${asked}; add --dtype ${wider}`,
      );
    };
    return { name, dtype: stored, shape, bytes };
  });
}
