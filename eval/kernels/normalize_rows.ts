import type * as tf from "@tensorflow/tfjs";
import type { LayerKernels } from "./layer_kernels.ts";

/** A norm with its vectors. */
export interface Norm {
  readonly kind: "layerNorm" | "rmsNorm";
  readonly size: number;
  readonly epsilon: number;
  /** Added to each value of `weight`. */
  readonly weightOffset: number;
  readonly weight: tf.Tensor1D;
  readonly bias: tf.Tensor1D | undefined;
}

/** Normalizes each row of `[rows, size]`. */
export function normalizeRows(kernels: LayerKernels, x: tf.Tensor2D, norm: Norm): tf.Tensor2D {
  const [rows, columns] = x.shape;
  const { kind, epsilon, weight, weightOffset, bias } = norm;
  const result = kernels.allocate(rows, columns);
  kernels.run.normalizeRows(
    ...[rows, columns, kernels.at(x), kernels.at(result)] as const,
    ...[Number(kind === "layerNorm"), epsilon] as const,
    ...[kernels.at(weight), weightOffset, bias === undefined ? 0 : kernels.at(bias)] as const,
  );
  return result;
}

/** Gradient of {@linkcode normalizeRows} by its input, given that by its result. */
export function normalizeGradient(
  kernels: LayerKernels,
  x: tf.Tensor2D,
  { kind, epsilon, weight, weightOffset }: Norm,
  dy: tf.Tensor2D,
): tf.Tensor2D {
  const [rows, columns] = x.shape;
  const result = kernels.allocate(rows, columns);
  kernels.run.normalizeGradient(
    ...[rows, columns, kernels.at(x), kernels.at(dy), kernels.at(result)] as const,
    ...[Number(kind === "layerNorm"), epsilon, kernels.at(weight), weightOffset] as const,
  );
  return result;
}
