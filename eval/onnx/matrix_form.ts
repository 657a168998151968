import { fromFloat32 } from "../../data/from_float32.ts";
import { InputError } from "../../data/input_error.ts";
import { narrowsSafely } from "../../data/narrowing.ts";
import { quote } from "../../data/quote.ts";
import type { ByteMatrix } from "./byte_matrix.ts";

/**
 * What multiplies by matrices of bytes: `MatMulNBits`, which graphics cards run from the bytes, or
 * `DequantizeLinear` before `Gemm`, which is several times as fast on processors.
 */
export type ByteProduct = "MatMulNBits" | "DequantizeLinear";

/** How the matrices of a checkpoint are written; vectors are always float32. */
export type MatrixForm =
  | { readonly kind: "float32" }
  | { readonly kind: "float16" }
  | {
    readonly kind: "bytes";
    /** Those that are bytes, `[outputs, inputs]`, by their names in the checkpoint; others are float32. */
    readonly matrices: ReadonlyMap<string, ByteMatrix>;
    /** What multiplies by them. */
    readonly product: ByteProduct;
  };

/** The bits of floats rounded to float16; throws {@linkcode InputError} where they are beyond it. */
export function float16Bits(name: string, values: Float32Array): Uint16Array {
  if (!narrowsSafely("F16", values)) {
    throw new InputError(
      `tensor ${quote(name)}: its values are beyond what f16 can hold; write f32 instead`,
    );
  }
  return new Uint16Array(fromFloat32("F16", values).buffer);
}
