import type { Tensor1D, Tensor2D } from "../../kan/numeric/tensor_types.ts";

/** Factors of a linear layer's inputs and outputs, or gradients by them. */
export interface LinearGains {
  readonly inputs: Tensor1D;
  readonly outputs: Tensor1D;
}

/** Looks into a pass at its linear layers, and may change what they give. */
export interface Tap {
  /** Called with the name of a weight and its input, `[tokens, inputs]`; must not dispose it. */
  input?(weight: string, x: Tensor2D): void;
  /**
   * Asked for the input of an attention's output map and of a feed-forward block's last, by the names of
   * their weights: what comes before such an input is not computed where it is known.
   */
  knownInput?(weight: string): Tensor2D | undefined;
  /** Called with the name of a weight and its output, `[tokens, outputs]`; returns what goes on. */
  output?(weight: string, y: Tensor2D): Tensor2D;
  /**
   * Called in backward passes with the name of a weight and the gradient with respect to its
   * output, `[tokens, outputs]`. A pass with this hook can be differentiated by the layer's input.
   */
  outputGradient?(weight: string, dy: Tensor2D): void;
  /** The gains of a linear layer, by the name of its weight; undefined where it has none. */
  gains?(weight: string): LinearGains | undefined;
  /** Called in backward passes with the gradients by a layer's gains; must not dispose them. */
  gainGradients?(weight: string, gradients: LinearGains): void;
  /**
   * Called in backward passes with the gradient by a layer's matrix, `[inputs, outputs]`, before its gains;
   * must not dispose it.
   */
  weightGradient?(weight: string, gradient: Tensor2D): void;
  /** Called in backward passes with the gradient by a bias or by a norm's scale or shift. */
  vectorGradient?(name: string, gradient: Tensor1D): void;
}
