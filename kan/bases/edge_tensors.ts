import type { Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import type { BaseFunction } from "./base_function.ts";
import type { Basis } from "./basis.ts";

/** What the edges of a layer are made of on tfjs. */
export interface EdgeTensors {
  /** One basis for all inputs, or one for each input; all of one size. */
  readonly bases: readonly Basis[];
  /** The base function. */
  readonly base: BaseFunction;
  /** Spline coefficients [inputs, basis size, outputs]. */
  readonly coefficients: Tensor3D;
  /** Factors of the splines [inputs, outputs]; all 1 if omitted. */
  readonly splineScales?: Tensor2D | undefined;
  /** Factors of the base function [inputs, outputs]; all 0 if omitted. */
  readonly baseWeights?: Tensor2D | undefined;
  /** 1 for an edge that is there, else 0, [inputs, outputs]; all 1 if omitted. Not trained. */
  readonly mask?: Tensor2D | undefined;
}
