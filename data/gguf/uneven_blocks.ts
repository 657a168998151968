import { halfAt } from "./half_at.ts";
import type { BlockReader } from "./legacy_blocks.ts";

// Dequantizers of ggml's types IQ4: four bits choose one of sixteen values that are not evenly spaced.

/** The sixteen values, as ggml-common.h has them. */
const unevenValues = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);

/** Blocks of 32 values with one scale. */
export const readIQ4_NL: BlockReader = (view, at, target, to) => {
  readPairs(view, at + 2, target, to, halfAt(view, at));
};

/** Super-blocks of 256 values: scales of 6 bits from -32 on for each 32. */
export const readIQ4_XS: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at), highs = view.getUint16(at + 2, true);
  for (let block = 0; block < 8; block++) {
    const low = view.getUint8(at + 4 + (block >> 1)) >> (block & 1) * 4 & 15;
    const step = scale * ((low | (highs >> 2 * block & 3) << 4) - 32);
    readPairs(view, at + 8 + 16 * block, target, to + 32 * block, step);
  }
};

function readPairs(view: DataView, at: number, target: Float32Array, to: number, step: number) {
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + i);
    target[to + i] = step * unevenValues[pair & 15]!;
    target[to + 16 + i] = step * unevenValues[pair >> 4]!;
  }
}
