import * as tf from "@tensorflow/tfjs";
import type { ForwardPass } from "./forward_pass.ts";

/**
 * `forward(...inputs)`, which tfjs differentiates by `backward` instead of its own rules: those of
 * matrix products transpose, and the WASM backend's transposed products are some twenty times
 * slower. `backward` is given the result's gradient and the inputs, and returns the gradients of the
 * inputs. Passes that are not differentiated run `forward` alone.
 */
export function differentiable<Inputs extends tf.Tensor2D[]>(
  pass: ForwardPass,
  inputs: [...Inputs],
  forward: (...inputs: Inputs) => tf.Tensor2D,
  backward: (dy: tf.Tensor2D, ...inputs: Inputs) => tf.Tensor2D[],
): tf.Tensor2D {
  if (pass.tap?.outputGradient === undefined) return forward(...inputs);
  const operation = tf.customGrad((...given) => {
    const tensors = given.slice(0, -1) as Inputs;
    const save = given.at(-1) as tf.GradSaveFunc;
    save(tensors);
    return {
      value: forward(...tensors),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        backward(dy as tf.Tensor2D, ...saved as Inputs),
    };
  });
  return operation(...inputs) as tf.Tensor2D;
}
