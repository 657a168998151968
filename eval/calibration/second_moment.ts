import * as tf from "@tensorflow/tfjs";
import { transpose } from "../../data/transpose.ts";
import { triangleStart } from "../../hierarchy/matrix/triangle.ts";
import { readValues } from "../compute/backend.ts";
import { type LayerKernels, layerKernels } from "../kernels/layer_kernels.ts";
import { multiplyByItself } from "../kernels/multiply.ts";

/** A stripe of Xᵀ X: columns from `start`, rows from `start` on. */
export interface MomentStripe {
  /** First row and first column. */
  readonly start: number;
  /** Number of columns. */
  readonly width: number;
  /** Row-major values. */
  readonly values: Float32Array;
}

/** Columns of a stripe, about; narrow enough to skip most of what lies above the diagonal. */
const stripeWidth = 384;

/**
 * Stripes that cover the lower triangle of Xᵀ X for `[tokens, size]` values, by matrix products in
 * float32. Callers add the stripes of short runs of tokens in float64.
 */
export async function secondMomentStripes(
  values: Float32Array,
  size: number,
): Promise<MomentStripe[]> {
  const tokens = values.length / size;
  const kernels = layerKernels();
  if (kernels !== undefined) return stripesByKernels(kernels, values, size);
  const transposed = transpose(values, tokens, size);
  const count = Math.max(1, Math.round(size / stripeWidth));
  const stripes: MomentStripe[] = [];
  for (let part = 0; part < count; part++) {
    const start = Math.floor(part * size / count);
    const width = Math.floor((part + 1) * size / count) - start;
    const columns = new Float32Array(tokens * width);
    for (let token = 0; token < tokens; token++) {
      const from = token * size + start;
      columns.set(values.subarray(from, from + width), token * width);
    }
    const product = tf.tidy(() =>
      tf.matMul(
        tf.tensor2d(transposed.subarray(start * tokens), [size - start, tokens]),
        tf.tensor2d(columns, [tokens, width]),
      )
    );
    stripes.push({ start, width, values: await readValues(product) });
    product.dispose();
  }
  return stripes;
}

/** Columns of a stripe of kernels, which skip what is above the diagonal by themselves. */
const kernelStripeWidth = 1536;

function stripesByKernels(
  kernels: LayerKernels,
  values: Float32Array,
  size: number,
): MomentStripe[] {
  const x = tf.tensor2d(values, [values.length / size, size]);
  const stripes: MomentStripe[] = [];
  for (let start = 0; start < size; start += kernelStripeWidth) {
    const end = Math.min(size, start + kernelStripeWidth);
    const product = multiplyByItself(kernels, x, start, end);
    stripes.push({ start, width: end - start, values: product.dataSync<"float32">() });
    product.dispose();
  }
  x.dispose();
  return stripes;
}

/** A lower triangle that is stored row by row: float32 takes half the memory. */
export type MomentTriangle = Float64Array | Float32Array;

/** Adds a stripe to a lower triangle. */
export function addStripe(triangle: MomentTriangle, size: number, stripe: MomentStripe): void {
  const { start, width, values } = stripe;
  for (let row = start; row < size; row++) {
    const columns = Math.min(width, row - start + 1);
    const from = (row - start) * width;
    const to = triangleStart(row) + start;
    for (let column = 0; column < columns; column++) {
      triangle[to + column]! += values[from + column]!;
    }
  }
}
