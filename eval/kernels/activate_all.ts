import type * as tf from "@tensorflow/tfjs";
import type { ActivationName } from "../architectures/activation_names.ts";
import { activationKind } from "./activation_kind.ts";
import type { LayerKernels } from "./layer_kernels.ts";

/** An activation of each value, times those of `gated` where it is given. */
export function activateAll(
  kernels: LayerKernels,
  name: ActivationName,
  x: tf.Tensor2D,
  gated?: tf.Tensor2D,
): tf.Tensor2D {
  const [rows, columns] = x.shape;
  const result = kernels.allocate(rows, columns);
  const other = gated === undefined ? 0 : kernels.at(gated);
  kernels.run.activateAll(
    activationKind(name),
    kernels.at(x),
    other,
    rows * columns,
    kernels.at(result),
  );
  return result;
}

/** Gradients of {@linkcode activateAll} by `x` and, if it is given, `gated`. */
export function activateGradient(
  kernels: LayerKernels,
  name: ActivationName,
  dy: tf.Tensor2D,
  x: tf.Tensor2D,
  gated?: tf.Tensor2D,
): tf.Tensor2D[] {
  const results = [x, ...(gated === undefined ? [] : [gated])]
    .map(({ shape }) => kernels.allocate(...shape));
  const [toX, toGated] = results.map((tensor) => kernels.at(tensor)) as [number, number?];
  kernels.run.activateGradient(
    ...[activationKind(name), kernels.at(x), gated === undefined ? 0 : kernels.at(gated)] as const,
    ...[kernels.at(dy), x.size, toX, toGated ?? 0] as const,
  );
  return results;
}
