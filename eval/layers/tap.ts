import type { Tensor2D } from "../../kan/numeric/tensor_types.ts";

/** Looks into a pass at its linear layers, and may change what they give. */
export interface Tap {
  /** Called with the name of a weight and its input, `[tokens, inputs]`; must not dispose it. */
  input?(weight: string, x: Tensor2D): void;
  /** Called with the name of a weight and its output, `[tokens, outputs]`; returns what goes on. */
  output?(weight: string, y: Tensor2D): Tensor2D;
  /**
   * Called in backward passes with the name of a weight and the gradient with respect to its
   * output, `[tokens, outputs]`. A pass with this hook can be differentiated by the layer's input.
   */
  outputGradient?(weight: string, dy: Tensor2D): void;
}
