import type { TransformerDescription } from "../architectures/description.ts";

/** Where the keys and values of all layers are. */
export interface CacheLayout {
  /** Tokens of a sequence that there is room for. */
  readonly capacity: number;
  /** Bytes of everything. */
  readonly bytes: number;
  /** For each layer, how far from the beginning its keys are, and its values. */
  readonly layers: readonly { readonly keys: number; readonly values: number }[];
}

/** Bytes that a head's key or value takes. */
export function headBytes(headSize: number): number {
  return 4 * Math.ceil(headSize / 4) * 4;
}

/**
 * Lays keys and values out: those of a head, token after token, are followed by those of the next head,
 * and those of a sequence by those of the next one.
 */
export function layOutCache(
  { layers }: TransformerDescription,
  sequences: number,
  capacity: number,
): CacheLayout {
  let bytes = 0;
  const places = layers.map(({ attention: { keyValueHeads, headSize } }) => {
    const size = sequences * keyValueHeads * capacity * headBytes(headSize);
    const keys = bytes;
    bytes += 2 * size;
    return { keys, values: keys + size };
  });
  return { capacity, bytes, layers: places };
}

/**
 * Moves keys and values to a layout of more capacity that begins at the same address, the last ones
 * first, since none moves towards the beginning.
 */
export function moveCache(
  { layers }: TransformerDescription,
  bytes: Uint8Array,
  sequences: number,
  [from, to]: readonly [CacheLayout, CacheLayout],
): void {
  for (let index = layers.length - 1; index >= 0; index--) {
    const { keyValueHeads, headSize } = layers[index]!.attention;
    const size = headBytes(headSize);
    for (const role of ["values", "keys"] as const) {
      for (let head = sequences * keyValueHeads - 1; head >= 0; head--) {
        const start = from.layers[index]![role] + head * from.capacity * size;
        const target = to.layers[index]![role] + head * to.capacity * size;
        bytes.copyWithin(target, start, start + from.capacity * size);
      }
    }
  }
}
