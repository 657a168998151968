/** Element types of the safetensors format that kanpress reads and writes. */
export type DType =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "F8_E4M3"
  | "F8_E5M2"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** What is known of a tensor before its values are read. */
export interface TensorInfo {
  /** Name in the checkpoint, such as `transformer.h.0.mlp.c_fc.weight`. */
  readonly name: string;
  /** Element type as stored. */
  readonly dtype: DType;
  /** Sizes of the axes, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
}

/** A tensor's values as float32, with the element type that it was (or will be) stored in. */
export interface WeightTensor {
  /** Element type as stored. */
  readonly dtype: DType;
  /** Sizes of the axes, outermost first; empty for a scalar. */
  readonly shape: readonly number[];
  /**
   * Values in row-major order. Where they are held in 16 bits, or in a file, they are expanded anew at
   * each access: keep them in a variable where they are used more than once, and look at them piece by
   * piece (`valuePieces`) where that will do.
   */
  readonly data: Float32Array;
  /** The same values in the 16 bits that they are stored in, if they are held so: half the memory. */
  readonly half?: {
    /** What the patterns mean; float32 in a file only. */
    readonly dtype: "F16" | "BF16" | "F32";
    /**
     * One pattern a value, in memory that threads share, where there is any; or in a file, where there
     * is not memory enough (a `FileArray`).
     */
    readonly patterns: Uint16Array | {
      readonly file: string;
      readonly start: number;
      readonly length: number;
      readonly kind: "Uint16Array" | "Float32Array";
      readonly sha256: string;
    };
  };
}

/** Values in the 16 bits that a checkpoint has them in, or in a file. */
export type HalfValues = NonNullable<WeightTensor["half"]>;

/** The weights of a model by name, in checkpoint order. */
export type StateDict = ReadonlyMap<string, WeightTensor>;

/**
 * A tensor with other values. What it is held by in 16 bits, if it is, are not those: whoever
 * replaces `data` alone is read past.
 *
 * ```ts
 * import { withValues } from "./tensor.ts";
 * import assert from "node:assert";
 *
 * const half = { dtype: "F16" as const, patterns: new Uint16Array(1) };
 * const held = { dtype: "F16" as const, shape: [1], data: new Float32Array(1), half };
 * assert.deepEqual(Object.keys(withValues(held, new Float32Array([2]))), ["dtype", "shape", "data"]);
 * ```
 */
export function withValues(
  { dtype, shape }: Omit<WeightTensor, "data">,
  data: Float32Array,
): WeightTensor {
  return { dtype, shape, data };
}

/** Weights that are read one tensor at a time, so that a model need never be in memory whole. */
export interface WeightSource {
  /** Every tensor, in checkpoint order. */
  readonly tensors: readonly TensorInfo[];
  /** Reads one tensor; throws {@linkcode InputError} if its bytes are damaged. */
  read(name: string): Promise<WeightTensor>;
  /**
   * Reads some rows (steps along the first axis) of one tensor, given by ascending numbers, without
   * holding the others, into memory of their own; absent where the source cannot. See
   * {@linkcode readTensorRows}.
   */
  readRows?(name: string, rows: Int32Array): Promise<WeightTensor>;
  /** Name of the file that a tensor is in, for messages, where it is in one. */
  fileOf?(name: string): string;
}

/**
 * Number of elements of a shape.
 *
 * ```ts
 * import { elementCount } from "./tensor.ts";
 * import assert from "node:assert";
 *
 * assert.equal(elementCount([2, 3]), 6);
 * assert.equal(elementCount([]), 1);
 * ```
 */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}
