import { fromFloat32 } from "./from_float32.ts";
import type { DType } from "./tensor.ts";
import { toFloat32 } from "./to_float32.ts";

/** Values that are narrowed at once. */
const PIECE = 2 ** 16;

/**
 * Most that narrowing may change values, as a share of their root mean square: what rounding to
 * bfloat16 may do to each of them. Within the range of a type its rounding changes them less; what
 * changes them more are values beyond either end of it.
 */
const LARGEST_CHANGE = 2 ** -8;

/** Magnitudes and root mean squares between which rounding changes values less than that. */
const SAFE_RANGES: Readonly<Partial<Record<DType, readonly [least: number, most: number]>>> = {
  F16: [2 ** -16, 65_504],
  BF16: [2 ** -100, 2 ** 127],
};

/**
 * Whether values can be stored in a narrower float type without harm: none becomes infinite, and the
 * root mean square of what rounding changes, values too small for the type being lost, is at most
 * 2^-8 of the values' own.
 *
 * ```ts
 * import { narrowsSafely } from "./narrowing.ts";
 * import assert from "node:assert";
 *
 * assert.ok(narrowsSafely("F16", Float32Array.of(0.5, 0.001, 1e-9)));
 * assert.ok(!narrowsSafely("F16", Float32Array.of(1e-8, -2e-8)));
 * assert.ok(!narrowsSafely("F16", Float32Array.of(1, 1e5)));
 * ```
 */
export function narrowsSafely(dtype: DType, values: Float32Array): boolean {
  const check = new NarrowingCheck(dtype);
  check.add(values);
  return check.isSafe();
}

/** What {@linkcode narrowsSafely} does, of values that come in parts. */
export class NarrowingCheck {
  /** The largest magnitude so far. */
  largest = 0;
  readonly #dtype: DType;
  #total = 0;
  #changed = 0;

  /** A check for a type that values are to be stored in. */
  constructor(dtype: DType) {
    this.#dtype = dtype;
  }

  /** Looks at the values that follow. */
  add(values: Float32Array): void {
    const dtype = this.#dtype;
    let largest = 0, total = 0;
    for (let i = 0; i < values.length; i++) {
      const magnitude = Math.abs(values[i]!);
      if (magnitude > largest) largest = magnitude;
      total += magnitude * magnitude;
    }
    this.largest = Math.max(this.largest, largest);
    this.#total += total;
    if (dtype === "F32" || dtype === "F64") return;
    const [least, most] = SAFE_RANGES[dtype] ?? [Infinity, 0];
    // Rounding within the range changes a part by less than it may.
    if (largest <= most && total >= least * least * values.length) return;
    for (let start = 0; start < values.length; start += PIECE) {
      const piece = values.subarray(start, start + PIECE);
      const stored = toFloat32(dtype, fromFloat32(dtype, piece));
      for (let i = 0; i < piece.length; i++) this.#changed += (stored[i]! - piece[i]!) ** 2;
    }
  }

  /** Whether all values so far can be stored. */
  isSafe(): boolean {
    return this.#changed <= LARGEST_CHANGE ** 2 * this.#total;
  }
}
