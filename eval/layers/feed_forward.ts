import * as tf from "@tensorflow/tfjs";
import type { FeedForwardDescription } from "../architectures/description.ts";
import { activate } from "./activation.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { applyLinear } from "./linear.ts";

/** down(act(up(x))), or down(act(gate(x)) * up(x)) where there is a gate, joined with it or not. */
export function applyFeedForward(
  pass: ForwardPass,
  block: FeedForwardDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const { up, gate, joinedGate, down, activation } = block;
  return tf.tidy(() => {
    if (joinedGate) {
      const [first, second] = tf.split(applyLinear(pass, up, x), 2, 1) as [
        tf.Tensor2D,
        tf.Tensor2D,
      ];
      return applyLinear(pass, down, tf.mul(activate(activation, first), second));
    }
    const activated = activate(activation, applyLinear(pass, gate ?? up, x));
    if (gate === undefined) return applyLinear(pass, down, activated);
    return applyLinear(pass, down, tf.mul(activated, applyLinear(pass, up, x)));
  });
}
