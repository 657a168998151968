import { firstNotFinite } from "../../data/finite.ts";
import { InputError } from "../../data/input_error.ts";
import { quote } from "../../data/quote.ts";

/** Throws {@linkcode InputError} that names the tensor where a decoded value is not finite. */
export function requireFinite(name: string, data: Float32Array): void {
  const index = firstNotFinite(data);
  if (index < 0) return;
  throw new InputError(
    `tensor ${quote(name)} decodes to ${data[index]} at element ${index}; ` +
      "the file is damaged, compress the model again",
  );
}
