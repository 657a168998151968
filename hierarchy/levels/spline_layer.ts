import { SPLINE_ORDER } from "../format/constants.ts";

/**
 * A layer of univariate functions, y_o = Σ_i φ_io(x_i), each a uniform cubic B-spline on
 * [-range, range]; inputs beyond are clamped. It is what a trained `KanLayer` is frozen into:
 * plain numbers that any engine evaluates to the same bits.
 */
export interface SplineLayer {
  /** Number of inputs. */
  readonly inputDim: number;
  /** Number of outputs. */
  readonly outputDim: number;
  /** Number of grid intervals; each function has `intervals + 3` coefficients. */
  readonly intervals: number;
  /** Half of the width of the grid. */
  readonly range: number;
  /** Spline coefficients, [inputDim, intervals + 3, outputDim]. */
  readonly coefficients: Float32Array;
}

/**
 * Evaluates the layer at `rows` inputs, row-major; gives [rows, outputDim]. Uses additions,
 * multiplications and divisions in float64 in a fixed order, rounded to float32 at the end: the
 * same bits on every platform.
 */
export function applySplineLayer(
  layer: SplineLayer,
  inputs: Float32Array,
  rows: number,
): Float32Array {
  const { inputDim, outputDim, intervals, range } = layer;
  const coefficients = layer.coefficients;
  const rowStride = (intervals + SPLINE_ORDER) * outputDim;
  const outputs = new Float32Array(rows * outputDim);
  const sums = new Float64Array(outputDim);
  const perUnit = intervals / (2 * range);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let i = 0; i < inputDim; i++) {
      const x = inputs[row * inputDim + i]!;
      const position = (Math.min(Math.max(x, -range), range) + range) * perUnit;
      const interval = Math.min(Math.floor(position), intervals - 1);
      const u = position - interval;
      // The four cubic B-splines that are not zero on this interval, times 6.
      const v = 1 - u;
      const b0 = v * v * v / 6;
      const b1 = (u * u * (3 * u - 6) + 4) / 6;
      const b2 = (v * v * (3 * v - 6) + 4) / 6;
      const b3 = u * u * u / 6;
      const start = i * rowStride + interval * outputDim;
      addCombination(sums, coefficients, start, b0, b1, b2, b3);
    }
    outputs.set(sums, row * outputDim);
  }
  return outputs;
}

/** Adds the combination of four consecutive rows of `coefficients` to `sums`. */
function addCombination(
  sums: Float64Array,
  coefficients: Float32Array,
  start: number,
  b0: number,
  b1: number,
  b2: number,
  b3: number,
): void {
  const width = sums.length;
  let k0 = start, k1 = start + width, k2 = k1 + width, k3 = k2 + width;
  for (let o = 0; o < width; o++) {
    sums[o]! += b0 * coefficients[k0++]! + b1 * coefficients[k1++]! +
      b2 * coefficients[k2++]! + b3 * coefficients[k3++]!;
  }
}
