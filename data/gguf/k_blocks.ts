import { halfAt } from "./half_at.ts";
import type { BlockReader } from "./legacy_blocks.ts";

// Dequantizers of ggml's k-quants: super-blocks of 256 values, in sub-blocks of 16 or 32.

/** d · s · q − e · m of 2 bits: scales s and minima m of 4 bits for each 16 values. */
export const readQ2_K: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at + 80), least = halfAt(view, at + 82);
  for (let i = 0; i < 256; i++) {
    const steps = view.getUint8(at + (i >> 4));
    // Four values, 32 apart, share a byte.
    const q = view.getUint8(at + 16 + (i >> 7) * 32 + (i & 31)) >> (i >> 4 & 6) & 3;
    target[to + i] = scale * (steps & 15) * q - least * (steps >> 4);
  }
};

/** d · s · q of 3 bits from -4 on: scales s of 6 bits from -32 on for each 16 values. */
export const readQ3_K: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at + 108);
  for (let block = 0; block < 16; block++) {
    const low = view.getUint8(at + 96 + (block & 7)) >> (block >> 3) * 4 & 15;
    const high = view.getUint8(at + 104 + (block & 3)) >> (block >> 2) * 2 & 3;
    const step = scale * ((low | high << 4) - 32);
    for (let i = 16 * block; i < 16 * block + 16; i++) {
      const bits = view.getUint8(at + 32 + (i >> 7) * 32 + (i & 31)) >> (i >> 4 & 6) & 3;
      const isHigh = view.getUint8(at + (i & 31)) >> (i >> 5) & 1;
      target[to + i] = step * (bits - (isHigh === 1 ? 0 : 4));
    }
  }
};

/** d · s · q − e · m of 4 bits: scales s and minima m of 6 bits for each 32 values. */
export const readQ4_K: BlockReader = (view, at, target, to) => {
  readWithMinima(view, at, target, to, (i) => {
    return view.getUint8(at + 16 + (i >> 6) * 32 + (i & 31)) >> (i >> 3 & 4) & 15;
  });
};

/** As {@linkcode readQ4_K} of 5 bits; the highest bits stand before the others. */
export const readQ5_K: BlockReader = (view, at, target, to) => {
  readWithMinima(view, at, target, to, (i) => {
    const low = view.getUint8(at + 48 + (i >> 6) * 32 + (i & 31)) >> (i >> 3 & 4) & 15;
    return low | (view.getUint8(at + 16 + (i & 31)) >> (i >> 5) & 1) << 4;
  });
};

function readWithMinima(
  view: DataView,
  at: number,
  target: Float32Array,
  to: number,
  integer: (i: number) => number,
): void {
  const scale = halfAt(view, at), least = halfAt(view, at + 2);
  for (let block = 0; block < 8; block++) {
    const step = scale * sixBits(view, at + 4, block, 0);
    const minimum = least * sixBits(view, at + 4, block, 4);
    for (let i = 32 * block; i < 32 * block + 32; i++) {
      target[to + i] = step * integer(i) - minimum;
    }
  }
}

/**
 * The scale (`kind` 0) or minimum (`kind` 4) of a sub-block, from twelve bytes: those of the first
 * four are the low six bits of the first eight bytes, those of the others have four bits in the last
 * four bytes and two above the six.
 */
function sixBits(view: DataView, at: number, block: number, kind: 0 | 4): number {
  const byte = view.getUint8(at + kind + (block & 3));
  if (block < 4) return byte & 63;
  return view.getUint8(at + 8 + (block & 3)) >> kind & 15 | byte >> 6 << 4;
}

/** d · s · q of 6 bits from -32 on: signed bytes s for each 16 values. */
export const readQ6_K: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at + 208);
  for (let block = 0; block < 16; block++) {
    const step = scale * view.getInt8(at + 192 + block);
    for (let i = 16 * block; i < 16 * block + 16; i++) {
      const low = view.getUint8(at + (i >> 7) * 64 + (i & 63)) >> (i >> 4 & 4) & 15;
      const high = view.getUint8(at + 128 + (i >> 7) * 32 + (i & 31)) >> (i >> 4 & 6) & 3;
      target[to + i] = step * ((low | high << 4) - 32);
    }
  }
};
