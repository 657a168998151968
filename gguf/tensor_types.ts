import { type GgmlType, ggmlType } from "../data/gguf/types.ts";

/** What `--gguf` can be asked for: the type of a model's matrices. */
export const ggufWeightTypes = [
  "f32",
  "f16",
  "bf16",
  "q8_0",
  "q4_0",
  "q4_k",
  "q6_k",
] as const;

/** One of {@linkcode ggufWeightTypes}. */
export type GgufWeightType = typeof ggufWeightTypes[number];

/** llama.cpp's numbers for what most matrices of a file are: `general.file_type`. */
export const fileTypes: Readonly<Record<GgufWeightType, number>> = {
  f32: 0,
  f16: 1,
  bf16: 32,
  q8_0: 7,
  q4_0: 2,
  q4_k: 14,
  q6_k: 18,
};

/** Where rows are not whole blocks: the type that llama.cpp takes instead. */
const fallbacks: Readonly<Record<string, string>> = { Q4_K: "Q5_0", Q6_K: "Q8_0" };

/** How a tensor is stored, and what of it is not as asked for. */
export interface TensorType {
  /** The type. */
  readonly type: GgmlType;
  /** The type that was meant, where rows are not whole blocks of it. */
  readonly insteadOf?: GgmlType;
}

/**
 * The type of a tensor by its name in GGUF and its shape, chosen as llama.cpp's quantizer does: norms,
 * biases and positions stay F32; the head, also where it is the embedding, is `Q8_0` or `Q6_K`; rows
 * of no whole blocks become `Q5_0` for `Q4_K`, `Q8_0` for `Q6_K`, or else F16.
 */
export function tensorType(
  name: string,
  shape: readonly number[],
  asked: GgufWeightType,
  isHead: boolean,
): TensorType {
  const plain = shape.length < 2 || !name.endsWith(".weight") || name.endsWith("_norm.weight") ||
    name === "position_embd.weight";
  if (plain) return { type: ggmlType("F32") };
  const columns = shape.at(-1)!;
  const fits = (type: GgmlType) => columns % type.blockLength === 0;
  let type = ggmlType(asked.toUpperCase());
  if (isHead && asked.startsWith("q") && asked !== "q8_0") {
    type = ggmlType(fits(type) ? "Q6_K" : "Q8_0");
  }
  if (fits(type)) return { type };
  const next = fallbacks[type.name];
  const smaller = next === undefined ? undefined : ggmlType(next);
  const found = smaller !== undefined && fits(smaller) ? smaller : ggmlType("F16");
  return { type: found, insteadOf: type };
}
