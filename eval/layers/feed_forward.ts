import * as tf from "@tensorflow/tfjs";
import type { ActivationName } from "../architectures/activation_names.ts";
import type { FeedForwardDescription } from "../architectures/description.ts";
import { activateAll, activateGradient } from "../kernels/activate_all.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { activate } from "./activation.ts";
import { differentiable } from "./differentiable.ts";
import type { ForwardPass } from "./forward_pass.ts";
import { applyLinear } from "./linear.ts";

/** down(act(up(x))), or down(act(gate(x)) * up(x)) where there is a gate, joined with it or not. */
export function applyFeedForward(
  pass: ForwardPass,
  block: FeedForwardDescription,
  x: tf.Tensor2D,
): tf.Tensor2D {
  const { up, gate, joinedGate, down, activation } = block;
  const known = pass.tap?.knownInput?.(down.weight);
  if (known !== undefined) return applyLinear(pass, down, known);
  return tf.tidy(() => {
    if (joinedGate) {
      const [first, second] = tf.split(applyLinear(pass, up, x), 2, 1) as [
        tf.Tensor2D,
        tf.Tensor2D,
      ];
      return applyLinear(pass, down, applyActivation(pass, activation, first, second));
    }
    const first = applyLinear(pass, gate ?? up, x);
    const second = gate === undefined ? undefined : applyLinear(pass, up, x);
    return applyLinear(pass, down, applyActivation(pass, activation, first, second));
  });
}

/** By kernels where there are some. */
function applyActivation(
  pass: ForwardPass,
  name: ActivationName,
  x: tf.Tensor2D,
  gated?: tf.Tensor2D,
): tf.Tensor2D {
  const kernels = layerKernels();
  if (kernels === undefined) return activate(name, x, gated);
  if (gated === undefined) {
    return differentiable(
      pass,
      [x],
      (x) => activateAll(kernels, name, x),
      (dy, x) => activateGradient(kernels, name, dy, x),
    );
  }
  return differentiable(
    pass,
    [x, gated],
    (x, gated) => activateAll(kernels, name, x, gated),
    (dy, x, gated) => activateGradient(kernels, name, dy, x, gated),
  );
}
