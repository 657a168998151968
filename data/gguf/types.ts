import type { DType } from "../tensor.ts";

/** A type of tensor of ggml: rows are stored in blocks of so many values, each of so many bytes. */
export interface GgmlType {
  /** Its number in a file. */
  readonly id: number;
  /** Its name, as llama.cpp writes it. */
  readonly name: string;
  /** Values of a block; a row is a whole number of blocks. */
  readonly blockLength: number;
  /** Bytes of a block, its scales included. */
  readonly blockBytes: number;
  /** The element type of safetensors that holds the same values, where there is one. */
  readonly dtype?: DType;
}

/** Number, name, values and bytes of a block, and the element type that is the same. */
const rows: readonly (readonly [number, string, number, number, DType?])[] = [
  [0, "F32", 1, 4, "F32"],
  [1, "F16", 1, 2, "F16"],
  [2, "Q4_0", 32, 18],
  [3, "Q4_1", 32, 20],
  [6, "Q5_0", 32, 22],
  [7, "Q5_1", 32, 24],
  [8, "Q8_0", 32, 34],
  [9, "Q8_1", 32, 40],
  [10, "Q2_K", 256, 84],
  [11, "Q3_K", 256, 110],
  [12, "Q4_K", 256, 144],
  [13, "Q5_K", 256, 176],
  [14, "Q6_K", 256, 210],
  [15, "Q8_K", 256, 292],
  [16, "IQ2_XXS", 256, 66],
  [17, "IQ2_XS", 256, 74],
  [18, "IQ3_XXS", 256, 98],
  [19, "IQ1_S", 256, 50],
  [20, "IQ4_NL", 32, 18],
  [21, "IQ3_S", 256, 110],
  [22, "IQ2_S", 256, 82],
  [23, "IQ4_XS", 256, 136],
  [24, "I8", 1, 1, "I8"],
  [25, "I16", 1, 2, "I16"],
  [26, "I32", 1, 4, "I32"],
  [27, "I64", 1, 8, "I64"],
  [28, "F64", 1, 8, "F64"],
  [29, "IQ1_M", 256, 56],
  [30, "BF16", 1, 2, "BF16"],
  [34, "TQ1_0", 256, 54],
  [35, "TQ2_0", 256, 66],
  [39, "MXFP4", 32, 17],
  [40, "NVFP4", 64, 36],
  [41, "Q1_0", 128, 18],
];

/**
 * Every type that ggml's files may have, by name; the numbers that are missing were given up by ggml.
 * The layouts are those of ggml-common.h.
 */
export const ggmlTypes: ReadonlyMap<string, GgmlType> = new Map(
  rows.map(([id, name, blockLength, blockBytes, dtype]) => [
    name,
    { id, name, blockLength, blockBytes, ...(dtype === undefined ? {} : { dtype }) },
  ]),
);

const byId = new Map([...ggmlTypes.values()].map((type) => [type.id, type]));

/** The type of a number in a file; undefined for one that is not known. */
export function ggmlTypeById(id: number): GgmlType | undefined {
  return byId.get(id);
}

/**
 * The type of a name, such as `Q4_K`. Throws a RangeError for one that is not known.
 *
 * ```ts
 * import { ggmlType } from "./types.ts";
 * import assert from "node:assert";
 *
 * assert.equal(ggmlType("Q4_K").blockBytes, 144);
 * ```
 */
export function ggmlType(name: string): GgmlType {
  const type = ggmlTypes.get(name);
  if (type === undefined) throw new RangeError(`${name} is no type of ggml`);
  return type;
}

/**
 * Bytes of a tensor whose innermost axis is a whole number of blocks; undefined where it is not, or
 * where the bytes are 2^53 or more.
 */
export function ggmlByteLength(type: GgmlType, shape: readonly number[]): number | undefined {
  const columns = shape.at(-1) ?? 1;
  if (columns % type.blockLength !== 0) return undefined;
  let bytes = columns / type.blockLength * type.blockBytes;
  for (const extent of shape.slice(0, -1)) {
    bytes *= extent;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
