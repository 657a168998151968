import * as tf from "@tensorflow/tfjs";
import { type LayerKernels, layerKernels } from "./layer_kernels.ts";

/** A matrix, or the transpose of a tensor. */
export interface StoredMatrix {
  readonly tensor: tf.Tensor2D;
  readonly transposed: boolean;
}

/** What a product is written into: columns of a larger matrix from `column` on. */
export interface ProductPlace {
  readonly tensor: tf.Tensor2D;
  readonly column: number;
}

/** A B, plus a bias where there is one; into a place where one is given. */
export function multiply(
  kernels: LayerKernels,
  a: tf.Tensor2D,
  b: StoredMatrix,
  bias?: tf.Tensor1D,
  place?: ProductPlace,
): tf.Tensor2D {
  const [rows, depth] = a.shape;
  const [height, width] = b.tensor.shape;
  const columns = b.transposed ? height : width;
  const { tensor, column } = place ?? { tensor: kernels.allocate(rows, columns), column: 0 };
  const scratch = kernels.scratch(kernels.run.productScratch());
  kernels.run.multiply(
    ...[rows, depth, columns] as const,
    ...[kernels.at(a), 4 * depth, 4] as const,
    ...[kernels.at(b.tensor), b.transposed ? 4 : 4 * width, b.transposed ? 4 * width : 4] as const,
    ...[kernels.at(tensor) + 4 * column, 4 * tensor.shape[1]] as const,
    ...[bias === undefined ? 0 : kernels.at(bias), 0] as const,
    ...[0, scratch] as const,
  );
  return tensor;
}

/** A B, plus a bias where there is one, by the kernel on backends that have it. */
export function multiplyStored(
  a: tf.Tensor2D,
  b: StoredMatrix,
  bias?: tf.Tensor1D,
): tf.Tensor2D {
  const kernels = layerKernels();
  if (kernels !== undefined) return multiply(kernels, a, b, bias);
  const product = { a, b: b.tensor, transposeB: b.transposed, ...(bias !== undefined && { bias }) };
  return tf.fused.matMul(product) as tf.Tensor2D;
}

/** Adds the product of columns of `a` from `column` on, and B, to `sum`. */
export function addProduct(
  kernels: LayerKernels,
  sum: tf.Tensor2D,
  a: tf.Tensor2D,
  column: number,
  b: StoredMatrix,
): void {
  const [height, width] = b.tensor.shape;
  const [depth, columns] = b.transposed ? [width, height] : [height, width];
  const aRowBytes = 4 * a.shape[1], to = kernels.at(sum);
  const scratch = kernels.scratch(kernels.run.productScratch());
  kernels.run.multiply(
    ...[a.shape[0], depth, columns, kernels.at(a) + 4 * column, aRowBytes, 4] as const,
    ...[kernels.at(b.tensor), b.transposed ? 4 : 4 * width, b.transposed ? 4 * width : 4] as const,
    ...[to, 4 * columns, to, 4 * columns, 0, scratch] as const,
  );
}

/**
 * Part of Xᵀ X: columns from `start` to before `end`, rows from `start` on. Only what is below the
 * diagonal is set, and some tiles across it.
 */
export function multiplyByItself(
  kernels: LayerKernels,
  x: tf.Tensor2D,
  start: number,
  end: number,
): tf.Tensor2D {
  const [depth, size] = x.shape;
  const result = kernels.allocate(size - start, end - start);
  const from = kernels.at(x) + 4 * start;
  kernels.run.multiply(
    ...[size - start, depth, end - start, from, 4, 4 * size, from, 4 * size, 4] as const,
    ...[kernels.at(result), 4 * (end - start), 0, 0, 1] as const,
    kernels.scratch(kernels.run.productScratch()),
  );
  return result;
}

/** Aᵀ B for matrices of as many rows. */
export function multiplyTransposed(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const kernels = layerKernels();
  if (kernels === undefined) return tf.matMul(a, b, true);
  const [depth, rows] = a.shape, columns = b.shape[1];
  const result = kernels.allocate(rows, columns);
  kernels.run.multiply(
    ...[rows, depth, columns, kernels.at(a), 4, 4 * rows] as const,
    ...[kernels.at(b), 4 * columns, 4, kernels.at(result), 4 * columns, 0, 0, 0] as const,
    kernels.scratch(kernels.run.productScratch()),
  );
  return result;
}
