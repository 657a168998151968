import { InputError } from "./input_error.ts";
import { quote } from "./quote.ts";

/** Whether no value is NaN or infinite. */
export function allFinite(data: Float32Array): boolean {
  // x · 0 is 0 for every finite x and NaN otherwise: one branch for the whole tensor.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0;
  return sum === 0;
}

/**
 * Throws an {@linkcode InputError} that names file, tensor and element where a value is NaN or
 * infinite.
 *
 * ```ts
 * import { assertFinite } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assertFinite("bias", Float32Array.of(1, 2), "model.safetensors");
 * assert.throws(() => assertFinite("bias", Float32Array.of(1, NaN), "model.safetensors"));
 * ```
 */
export function assertFinite(name: string, data: Float32Array, file: string): void {
  if (allFinite(data)) return;
  const index = data.findIndex((value) => !Number.isFinite(value));
  throw new InputError(
    `${file}: tensor ${quote(name)} has the value ${data[index]} at element ${index}; ` +
      `its weights must be finite: get the file again or repair the tensor`,
  );
}
