import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import { pickRows } from "../read_rows.ts";
import type { TensorInfo, WeightSource, WeightTensor } from "../tensor.ts";
import type { GgufArchitecture } from "./architecture.ts";
import type { GgufFile } from "./gguf_file.ts";
import type { GgufTensor } from "./header.ts";
import { rotaryTensors } from "./rotary_from_metadata.ts";
import { huggingFaceName, type NamedTensor } from "./tensor_names.ts";
import { type HeadCounts, toHuggingFaceValues } from "./value_change.ts";

/**
 * The tensors of a GGUF file under the names, and with the values, of Hugging Face's, read one at a
 * time. Quantized ones are told to be F32, which holds their values exactly.
 *
 * Throws an {@linkcode InputError} where a tensor is none of the architecture's, or heads do not
 * divide its rows.
 */
export function ggufWeights(
  file: GgufFile,
  architecture: GgufArchitecture,
  config: Readonly<Record<string, unknown>>,
): WeightSource {
  const counts = headCounts(config);
  const found = new Map<string, { tensor: GgufTensor; change: NamedTensor["change"] }>();
  const tensors = file.tensors.flatMap((tensor): TensorInfo[] => {
    if (rotaryTensors.has(tensor.name)) return [];
    const named = huggingFaceName(architecture, tensor.name);
    if (named === undefined) throw unknown(file, tensor, architecture);
    const { name, change } = named;
    found.set(name, { tensor, change });
    checkRows(file, tensor, change, counts);
    return [{ name, dtype: tensor.type.dtype ?? "F32", shape: changedShape(tensor.shape, change) }];
  });
  const infos = new Map(tensors.map((tensor) => [tensor.name, tensor]));

  function find(name: string) {
    const place = found.get(name);
    if (place !== undefined) return { ...place, info: infos.get(name)! };
    throw new InputError(`${file.metadata.file}: has no tensor for ${quote(name)}`);
  }

  async function read(name: string): Promise<WeightTensor> {
    const { tensor, change, info } = find(name);
    const values = { shape: tensor.shape, data: await file.read(tensor) };
    const { data } = toHuggingFaceValues(values, change, counts);
    return { dtype: info.dtype, shape: info.shape, data };
  }

  return {
    tensors,
    read,
    async readRows(name, rows) {
      const { tensor, change, info: { dtype, shape } } = find(name);
      // A vector's values, unlike the rows of a matrix, need not be whole blocks.
      const isVector = tensor.shape.length < 2;
      if (change !== undefined || isVector) return pickRows(await read(name), rows);
      const data = await file.readRows(tensor, rows);
      return { dtype, shape: [rows.length, ...shape.slice(1)], data };
    },
    fileOf: (name) => file.fileOf(find(name).tensor),
  };
}

/** Numbers of heads, under the names that the architectures give them. */
function headCounts(config: Readonly<Record<string, unknown>>): HeadCounts {
  const heads = Number(config["num_attention_heads"] ?? config["n_head"] ?? 1);
  const keyValueHeads = config["num_key_value_heads"] ?? config["num_kv_heads"] ?? heads;
  return { heads, keyValueHeads: Number(keyValueHeads) };
}

function changedShape(shape: readonly number[], change: NamedTensor["change"]): readonly number[] {
  return change === "transposed" && shape.length === 2 ? shape.toReversed() : shape;
}

function checkRows(
  file: GgufFile,
  { name, shape }: GgufTensor,
  change: NamedTensor["change"],
  { heads, keyValueHeads }: HeadCounts,
): void {
  const parts = change === "queryPairs"
    ? 2 * heads
    : change === "keyPairs"
    ? 2 * keyValueHeads
    : change === "rolesFirst"
    ? heads + 2 * keyValueHeads
    : 1;
  const isGrouped = change !== "rolesFirst" || heads % keyValueHeads === 0;
  if (isGrouped && parts > 0 && (shape[0] ?? 1) % parts === 0) return;
  throw new InputError(
    `${file.metadata.file}: tensor ${quote(name)} of shape [${shape.join(", ")}] does not fit ` +
      `${heads} heads and ${keyValueHeads} of keys; get it again`,
  );
}

function unknown(file: GgufFile, tensor: GgufTensor, { name }: GgufArchitecture): InputError {
  return new InputError(
    `${file.fileOf(tensor)}: tensor ${
      quote(tensor.name)
    } is not one that ${name} is known to have; ` +
      "a variant of it is not supported",
  );
}
