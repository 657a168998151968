import { InputError } from "./input_error.ts";
import { valuePieces } from "./half_values.ts";
import { quote } from "./quote.ts";
import type { WeightTensor } from "./tensor.ts";

/** Index of the first value that is NaN or infinite; -1 if there is none. */
export function firstNotFinite(data: Float32Array | Float64Array): number {
  // x · 0 is 0 for every finite x and NaN otherwise: one branch for the whole tensor.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0;
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value));
}

/**
 * Throws an {@linkcode InputError} that names the tensor, the element, and the file if there is one,
 * where a value is NaN or infinite.
 *
 * ```ts
 * import { assertFinite } from "./finite.ts";
 * import assert from "node:assert";
 *
 * assertFinite("bias", Float32Array.of(1, 2), "model.safetensors");
 * assert.throws(() => assertFinite("bias", Float32Array.of(1, NaN), "model.safetensors"));
 * ```
 */
export function assertFinite(name: string, data: Float32Array, file?: string): void {
  assertFiniteTensor(name, { data }, file);
}

/** {@linkcode assertFinite} of a tensor, whose values are looked at piece by piece. */
export function assertFiniteTensor(
  name: string,
  tensor: Pick<WeightTensor, "data" | "half">,
  file?: string,
): void {
  let first = 0;
  for (const values of valuePieces(tensor)) {
    const index = firstNotFinite(values);
    if (index >= 0) {
      throw new InputError(
        `${file === undefined ? "" : `${file}: `}tensor ${quote(name)} has the value ` +
          `${values[index]} at element ${
            first + index
          }; its weights must be finite: get the file ` +
          "again or repair the tensor",
      );
    }
    first += values.length;
  }
}
