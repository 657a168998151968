import type * as tf from "@tensorflow/tfjs";
import type { LinearDescription } from "../architectures/description.ts";
import { multiplyStored } from "../kernels/multiply.ts";
import { differentiable } from "./differentiable.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { applyGainedLinear } from "./gained_linear.ts";

/** y = x W + b for `[tokens, inputs]`; the pass's tap sees the input and may change the output. */
export function applyLinear(
  pass: ForwardPass,
  linear: LinearDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const { tap, parameters } = pass;
  tap?.input?.(linear.weight, x);
  const gains = tap?.gains?.(linear.weight);
  if (gains !== undefined) return applyGainedLinear(pass, linear, gains, x);
  const forward = (x: tf.Tensor2D) => {
    const bias = linear.bias === undefined ? undefined : parameters.vector(linear.bias);
    return multiplyStored(x, parameters.forProducts(linear.weight), bias);
  };
  const backward = (dy: tf.Tensor2D): [tf.Tensor2D] => {
    tap?.outputGradient?.(linear.weight, dy);
    return [multiplyStored(dy, parameters.forProductsBack(linear.weight))];
  };
  const y = differentiable(pass, [x], forward, backward);
  return tap?.output?.(linear.weight, y) ?? y;
}
