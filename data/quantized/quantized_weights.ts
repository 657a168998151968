import { isJsonObject } from "../json_file.ts";
import { quote } from "../quote.ts";
import { InputError } from "../input_error.ts";
import { naming } from "../naming.ts";
import { pickRows, readTensorRows } from "../read_rows.ts";
import type { TensorInfo, WeightSource, WeightTensor } from "../tensor.ts";
import { dequantizeLayer } from "./dequantize_layer.ts";
import { type LayerLayout, layerLayout, type QuantizedLayer } from "./quantized_layer.ts";

/** Weights whose tensors can be had as they are stored. */
export interface StoredWeights extends WeightSource {
  /** Reads one tensor's bytes. */
  readBytes(name: string): Promise<Uint8Array>;
  /** Name of the file that a tensor is in. */
  fileOf(name: string): string;
}

/** Weights of which some were quantized, and by what. */
export interface DequantizedWeights {
  /** The weights, under the names that they had before they were quantized. */
  readonly weights: WeightSource;
  /** Such as `GPTQ, 4 bits in groups of 128`. */
  readonly quantization: string;
}

/** What stands for a weight, behind its name without `.weight`. */
const PARTS = ["qweight", "qzeros", "scales", "g_idx"] as const;

/**
 * The weights of a checkpoint that GPTQ or AWQ quantized, dequantized one at a time as they are read:
 * F32 in the place of `qweight`, `qzeros`, `scales` and `g_idx`. Undefined where nothing is packed
 * like that. Biases of zeros that were added with them are left out. `config` is config.json's, of which `quantization_config` tells the format of GPTQ.
 *
 * Throws an {@linkcode InputError} that names the file and the tensor for what is packed in other
 * ways, such as Marlin's.
 */
export async function dequantizedWeights(
  stored: StoredWeights,
  config: Readonly<Record<string, unknown>>,
): Promise<DequantizedWeights | undefined> {
  const infos = new Map(stored.tensors.map((tensor) => [tensor.name, tensor]));
  const layers = new Map<string, LayerLayout>();
  for (const { name } of stored.tensors) {
    if (!name.endsWith(".qweight")) continue;
    const stem = name.slice(0, -".qweight".length);
    // Other methods have tensors of this name without the others.
    if (!infos.has(`${stem}.scales`) || !infos.has(`${stem}.qzeros`)) return undefined;
    layers.set(stem, naming(stored.fileOf(name), () => layoutOf(infos, stem)));
  }
  const [first] = layers.values();
  if (first === undefined) return undefined;
  const settings = isJsonObject(config["quantization_config"]) ? config["quantization_config"] : {};
  const zeroOffset = zeroOffsetOf(settings, stored.fileOf(stored.tensors[0]!.name));
  const idle = await idleBiases(stored, layers);
  const tensors = stored.tensors.flatMap((tensor): TensorInfo[] => {
    if (idle.has(tensor.name)) return [];
    const [, stem = "", part] = /^(.*)\.([^.]+)$/.exec(tensor.name) ?? [];
    const layout = layers.get(stem);
    if (layout === undefined || !PARTS.some((name) => name === part)) return [tensor];
    const { outputs, inputs } = layout;
    if (part !== "qweight") return [];
    return [{ name: `${stem}.weight`, dtype: "F32", shape: [outputs, inputs] }];
  });
  const shapes = new Map(tensors.map((tensor) => [tensor.name, tensor]));

  async function read(name: string): Promise<WeightTensor> {
    const stem = name.slice(0, -".weight".length);
    const layout = name.endsWith(".weight") ? layers.get(stem) : undefined;
    if (layout === undefined) return await stored.read(name);
    const layer = await readLayer(stored, infos, stem);
    const { dtype, shape } = shapes.get(name)!;
    const data = naming(
      stored.fileOf(`${stem}.qweight`),
      () => dequantizeLayer(layer, layout, layout.method === "GPTQ" ? zeroOffset : 0),
    );
    return { dtype, shape, data };
  }

  const isPacked = (name: string) => layers.has(name.replace(/\.weight$/, ""));
  const { method, bits, inputs, groups } = first;
  return {
    quantization: `${method}, ${bits} bits in groups of ${Math.ceil(inputs / groups)}`,
    weights: {
      tensors,
      read,
      readRows: async (name, rows) =>
        isPacked(name)
          ? pickRows(await read(name), rows)
          : await readTensorRows(stored, name, rows),
      fileOf: (name) =>
        stored.fileOf(isPacked(name) ? name.replace(/\.weight$/, ".qweight") : name),
    },
  };
}

/**
 * The biases that AutoGPTQ gave layers which had none: zeros, in the layers of one role, such as
 * `mlp.down_proj`, all through the model.
 */
async function idleBiases(
  stored: StoredWeights,
  layers: ReadonlyMap<string, LayerLayout>,
): Promise<ReadonlySet<string>> {
  const roles = new Map<string, string[]>();
  for (const { name } of stored.tensors) {
    const stem = name.replace(/\.bias$/, "");
    if (stem === name || !layers.has(stem)) continue;
    const role = stem.replace(/^.*\.\d+\./, "");
    roles.set(role, [...roles.get(role) ?? [], name]);
  }
  const idle = new Set<string>();
  for (const names of roles.values()) {
    if (await areZero(stored, names)) names.forEach((name) => idle.add(name));
  }
  return idle;
}

async function areZero(stored: StoredWeights, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    const { data } = await stored.read(name);
    if (!data.every((value) => value === 0)) return false;
  }
  return true;
}

function layoutOf(infos: ReadonlyMap<string, TensorInfo>, stem: string): LayerLayout {
  const info = (part: string) => infos.get(`${stem}.${part}`)!;
  for (const part of ["qweight", "qzeros"]) {
    const { name, dtype } = info(part);
    if (dtype === "I32" || dtype === "U32") continue;
    throw new InputError(`tensor ${quote(name)} is ${dtype}, where GPTQ and AWQ have I32`);
  }
  const [words, zeros, scales] = [info("qweight"), info("qzeros"), info("scales")];
  return layerLayout(stem, { words: words.shape, zeros: zeros.shape, scales: scales.shape });
}

/** 1 in the first format of GPTQ, which stores zeros less one, 0 in the second. */
function zeroOffsetOf(settings: Readonly<Record<string, unknown>>, file: string): 0 | 1 {
  const { checkpoint_format: format = "gptq", version = "gemm" } = settings;
  if (format === "gptq_v2") return 0;
  const isAwq = settings["quant_method"] === "awq";
  if (isAwq && String(version).toLowerCase() !== "gemm") {
    throw new InputError(
      `${file}: its weights are packed as AWQ's ${
        quote(String(version))
      }, which is not supported; ` +
        "take a checkpoint of version gemm, or the model that it was made from",
    );
  }
  if (isAwq || format === "gptq" || format === "gemm") return 1;
  throw new InputError(
    `${file}: its weights are packed as ${quote(String(format))}, which is not supported; take a ` +
      "checkpoint of format gptq or gptq_v2, or the model that it was made from",
  );
}

async function readLayer(
  stored: StoredWeights,
  infos: ReadonlyMap<string, TensorInfo>,
  stem: string,
): Promise<QuantizedLayer> {
  const words = async (part: string) => {
    const bytes = await stored.readBytes(`${stem}.${part}`);
    return new Int32Array(new Uint8Array(bytes).buffer);
  };
  const { data: scales } = await stored.read(`${stem}.scales`);
  const groupInfo = infos.get(`${stem}.g_idx`);
  return {
    name: stem,
    words: await words("qweight"),
    scales,
    zeros: await words("qzeros"),
    ...(groupInfo?.dtype === "I32" && { groupOf: await words("g_idx") }),
  };
}
