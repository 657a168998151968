import { weightLargeValues } from "../baselines/gguf_blocks.ts";
import { quantizeSignedSuperBlock } from "../baselines/signed_super_block.ts";
import { quantizeSuperBlock } from "../baselines/super_block.ts";
import type { BlockWriter } from "./block_writer.ts";
import { putHalf } from "./put_half.ts";

/**
 * Quantizers of ggml's k-quants: super-blocks of 256 values. The fits are those of the baselines of
 * these names, so that readers see their reconstruction.
 */

const SIZE = 256;
const reconstruction = new Float32Array(SIZE);

/** d · s · q − e · m of 4 bits: scales s and minima m of 6 bits for each 32 values. */
export const writeQ4_K: BlockWriter = (values, from, view, at) => {
  const { block, weights } = weighted(values, from);
  const layout = { subBlock: 32, top: 15, scaleTop: 63 };
  const fit = quantizeSuperBlock(block, weights, reconstruction, layout);
  putHalf(view, at, fit.scaleStep);
  putHalf(view, at + 2, fit.offsetStep);
  packSixBits(view, at + 4, fit.scales, fit.offsets);
  for (let i = 0; i < 128; i++) {
    // A byte has values that are 32 apart.
    const first = (i >> 5) * 64 + (i & 31);
    view.setUint8(at + 16 + i, fit.integers[first]! | fit.integers[first + 32]! << 4);
  }
};

/** d · s · q of 6 bits from -32 on: signed bytes s for each 16 values. */
export const writeQ6_K: BlockWriter = (values, from, view, at) => {
  const { block, weights } = weighted(values, from);
  const layout = { subBlock: 16, lowest: -32, highest: 31, scaleBound: 128 };
  const fit = quantizeSignedSuperBlock(block, weights, reconstruction, layout);
  const q = fit.integers.map((integer) => integer + 32);
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const [a, b, c, d] = [0, 32, 64, 96].map((step) => q[128 * half + step + i]!);
      view.setUint8(at + 64 * half + i, a! & 15 | (c! & 15) << 4);
      view.setUint8(at + 64 * half + 32 + i, b! & 15 | (d! & 15) << 4);
      const high = a! >> 4 | b! >> 4 << 2 | c! >> 4 << 4 | d! >> 4 << 6;
      view.setUint8(at + 128 + 32 * half + i, high);
    }
  }
  fit.scales.forEach((scale, i) => view.setInt8(at + 192 + i, scale));
  putHalf(view, at + 208, fit.step);
};

function weighted(values: Float32Array, from: number) {
  const block = Float64Array.from(values.subarray(from, from + SIZE));
  const weights = new Float64Array(SIZE);
  weightLargeValues(block, SIZE, weights);
  return { block, weights };
}

/**
 * Eight scales and eight minima of 6 bits in twelve bytes: the first four of each in the low bits of
 * the first eight; of the others four bits are in the last four bytes, and two above the six.
 */
function packSixBits(
  view: DataView,
  at: number,
  scales: readonly number[],
  minima: readonly number[],
): void {
  for (let i = 0; i < 4; i++) {
    view.setUint8(at + i, scales[i]! | scales[i + 4]! >> 4 << 6);
    view.setUint8(at + 4 + i, minima[i]! | minima[i + 4]! >> 4 << 6);
    view.setUint8(at + 8 + i, scales[i + 4]! & 15 | (minima[i + 4]! & 15) << 4);
  }
}
