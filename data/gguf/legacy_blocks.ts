import { halfAt } from "./half_at.ts";

/**
 * Dequantizers of ggml's types with blocks of 32 values and one scale, which llama.cpp calls legacy.
 * As everywhere in this room, products and sums are exact in double precision, so that each value is
 * rounded once, when it is stored, and equals that of arithmetic in float32.
 */

/** Reads the block that begins at byte `at` of `view` into `target`, from value `to` on. */
export type BlockReader = (view: DataView, at: number, target: Float32Array, to: number) => void;

/** d · q of 4 bits from -8 on. */
export const readQ4_0: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at);
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 2 + i);
    target[to + i] = scale * ((pair & 15) - 8);
    target[to + 16 + i] = scale * ((pair >> 4) - 8);
  }
};

/** d · q + m of 4 bits. */
export const readQ4_1: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at), least = halfAt(view, at + 2);
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 4 + i);
    target[to + i] = scale * (pair & 15) + least;
    target[to + 16 + i] = scale * (pair >> 4) + least;
  }
};

/** d · q of 5 bits from -16 on; the highest bits of all values stand before the others. */
export const readQ5_0: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at), high = view.getUint32(at + 2, true);
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 6 + i);
    target[to + i] = scale * ((pair & 15 | (high >>> i & 1) << 4) - 16);
    target[to + 16 + i] = scale * ((pair >> 4 | (high >>> i + 16 & 1) << 4) - 16);
  }
};

/** d · q + m of 5 bits. */
export const readQ5_1: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at), least = halfAt(view, at + 2);
  const high = view.getUint32(at + 4, true);
  for (let i = 0; i < 16; i++) {
    const pair = view.getUint8(at + 8 + i);
    target[to + i] = scale * (pair & 15 | (high >>> i & 1) << 4) + least;
    target[to + 16 + i] = scale * (pair >> 4 | (high >>> i + 16 & 1) << 4) + least;
  }
};

/** d · q of signed bytes. */
export const readQ8_0: BlockReader = (view, at, target, to) => {
  const scale = halfAt(view, at);
  for (let i = 0; i < 32; i++) target[to + i] = scale * view.getInt8(at + 2 + i);
};
