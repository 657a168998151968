import * as tf from "@tensorflow/tfjs";
import type { LinearDescription } from "../architectures/description.ts";
import type { ForwardPass } from "./forward_pass.ts";

/** y = x W + b for `[tokens, inputs]`; the pass's tap sees the input and may change the output. */
export function applyLinear(
  pass: ForwardPass,
  linear: LinearDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  pass.tap?.input?.(linear.weight, x);
  const y = tf.fused.matMul({
    a: x,
    b: pass.parameters.matrix(linear.weight),
    ...(linear.bias !== undefined && { bias: pass.parameters.vector(linear.bias) }),
  }) as tf.Tensor2D;
  return pass.tap?.output?.(linear.weight, y) ?? y;
}
