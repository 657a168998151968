import { roundToFloat16 } from "../data/round_to_float16.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import { type BaselineResult, forEachGroup, groupCount, packedBytes } from "./baseline.ts";

/** Settings of {@linkcode halfQuadratic}. */
export interface HalfQuadraticOptions {
  /** Bits of a weight, 2 to 8. */
  readonly bits: number;
  /** Weights that share a scale and a zero point, along a row. */
  readonly groupSize: number;
}

/** The method's published constants: the norm's exponent, the penalty, its growth, the rounds. */
const NORM = 0.7, PENALTY = 10, PENALTY_GROWTH = 1.01, ROUNDS = 20;

/**
 * Half-quadratic quantization (Badri and Shaji, 2023), without data: the scale of a group follows
 * from its range, and its real-valued zero point is moved until a norm of the errors that forgives
 * outliers stops to fall. Scale and zero point are stored in f16.
 *
 * ```ts
 * import { halfQuadratic } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const weights = { name: "w", rows: 1, columns: 4, data: Float32Array.of(0, 1, 2, 3) };
 * const { reconstruction, bytes } = halfQuadratic(weights, { bits: 2, groupSize: 4 });
 * assert.deepEqual([...reconstruction], [0, 1, 2, 3]);
 * assert.equal(bytes, 1 + 4);
 * ```
 */
export function halfQuadratic(weights: Matrix, options: HalfQuadraticOptions): BaselineResult {
  const { rows, columns, data } = weights;
  const { bits, groupSize } = options;
  const reconstruction = new Float32Array(data.length);
  forEachGroup(weights, groupSize, (row, start, end) => {
    const values = data.subarray(row * columns + start, row * columns + end);
    reconstruction.set(quantizeGroup(values, 2 ** bits - 1), row * columns + start);
  });
  const bytes = packedBytes(rows * columns, bits) + 4 * groupCount(weights, groupSize);
  return { reconstruction, bytes };
}

function quantizeGroup(values: Float32Array, top: number): Float32Array {
  const low = values.reduce((a, b) => Math.min(a, b));
  const scale = roundToFloat16((values.reduce((a, b) => Math.max(a, b)) - low) / top);
  if (scale === 0) return new Float32Array(values.length).fill(roundToFloat16(low));
  let zero = roundToFloat16(-low / scale), penalty = PENALTY;
  let best = dequantize(values, scale, zero, top), bestError = meanError(values, best);
  for (let round = 0; round < ROUNDS; round++) {
    // Split each error into an outlier, found by shrinking it, and the rest, which moves the zero.
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const integer = Math.min(Math.max(Math.round(values[i]! / scale + zero), 0), top);
      const error = values[i]! - scale * (integer - zero);
      const outlier = shrink(error, penalty);
      sum += integer - (values[i]! - outlier) / scale;
    }
    zero = roundToFloat16(sum / values.length);
    penalty *= PENALTY_GROWTH;
    const candidate = dequantize(values, scale, zero, top);
    const error = meanError(values, candidate);
    if (error >= bestError) break;
    [best, bestError] = [candidate, error];
  }
  return best;
}

/** The proximal operator of |x|^p, as the method approximates it. */
function shrink(x: number, penalty: number): number {
  const size = Math.abs(x);
  return size === 0 ? 0 : Math.sign(x) * Math.max(0, size - size ** (NORM - 1) / penalty);
}

function dequantize(values: Float32Array, scale: number, zero: number, top: number): Float32Array {
  return values.map((value) => {
    return scale * (Math.min(Math.max(Math.round(value / scale + zero), 0), top) - zero);
  });
}

function meanError(values: Float32Array, reconstruction: Float32Array): number {
  return values.reduce((sum, value, i) => sum + Math.abs(value - reconstruction[i]!), 0) /
    values.length;
}
