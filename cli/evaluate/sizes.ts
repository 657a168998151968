import type { DType } from "../../data/mod.ts";
import type { StageReport } from "../../hierarchy/mod.ts";

/** Sizes of a model before and after. */
export interface Sizes {
  /** Number of weights, tied tensors counted once. */
  readonly parameters: number;
  /** Size of the original's weight files, without what the model does not need. */
  readonly originalBytes: number;
  /** Element type of most of the original's values. */
  readonly originalDtype: DType;
  /** How the original is quantized already, where it is. */
  readonly originalQuantization?: string;
  /** Size of the whole compressed file. */
  readonly compressedBytes: number;
  /** `8 * compressedBytes / parameters`. */
  readonly bitsPerWeight: number;
  /** Its stages; told where there are several. */
  readonly stages?: readonly StageReport[];
}

/** The JSON fields of a compressed model's size, of `compress` and `evaluate` both. */
export function sizeFields(sizes: Sizes): Omit<Sizes, "stages"> {
  const { parameters, originalBytes, originalDtype, compressedBytes, bitsPerWeight } = sizes;
  const { originalQuantization } = sizes;
  return {
    parameters,
    originalBytes,
    originalDtype,
    ...(originalQuantization !== undefined && { originalQuantization }),
    compressedBytes,
    bitsPerWeight,
  };
}
