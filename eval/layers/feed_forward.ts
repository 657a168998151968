import * as tf from "@tensorflow/tfjs";
import type { FeedForwardDescription } from "../architectures/description.ts";
import { activate } from "./activation.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { applyLinear } from "./linear.ts";

/** down(act(up(x))), or down(act(gate(x)) * up(x)) where there is a gate. */
export function applyFeedForward(
  pass: ForwardPass,
  block: FeedForwardDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  if (block.gate === undefined) {
    return applyLinear(
      pass,
      block.down,
      activate(block.activation, applyLinear(pass, block.up, x)),
    );
  }
  const gate = activate(block.activation, applyLinear(pass, block.gate, x));
  return applyLinear(pass, block.down, tf.mul(gate, applyLinear(pass, block.up, x)));
}
