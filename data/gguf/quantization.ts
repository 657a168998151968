import { elementCount } from "../tensor.ts";
import type { GgmlType } from "./types.ts";

/** So many types are named, the last of them perhaps as others. */
const NAMED = 3;

/**
 * Names the types that most of a GGUF file's quantized values are in, such as `GGUF Q4_K and Q6_K`,
 * those of most values first; undefined where nothing is quantized.
 */
export function describeQuantization(
  tensors: readonly { readonly type: GgmlType; readonly shape: readonly number[] }[],
): string | undefined {
  const values = new Map<string, number>();
  for (const { type, shape } of tensors) {
    if (type.dtype !== undefined) continue;
    values.set(type.name, (values.get(type.name) ?? 0) + elementCount(shape));
  }
  if (values.size === 0) return undefined;
  const names = [...values].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const shown = names.length > NAMED ? [...names.slice(0, NAMED - 1), "others"] : names;
  return `GGUF ${new Intl.ListFormat("en-GB").format(shown)}`;
}
