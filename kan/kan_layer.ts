import * as tf from "@tensorflow/tfjs";
import type { Basis } from "./bases/basis.ts";
import { gridOf } from "./bases/bspline.ts";
import { expandBasis } from "./bases/expansion.ts";
import type { Grid } from "./grid.ts";
import { matMul } from "./mat_mul.ts";
import type { Tensor2D, Tensor3D, Variable } from "./tensor_types.ts";
import {
  type BaseFunction,
  createKanLayerModel,
  type KanLayerModel,
  type KanLayerOptions,
} from "./layer_model.ts";

/**
 * A trainable layer of KAN edges on tfjs; {@link KanLayerModel} says what it computes. The owner
 * disposes it.
 *
 * ```ts
 * import { createRandom, KanLayer, uniformGrid } from "@kanpress/kanpress/kan";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const layer = KanLayer.create({
 *   inputDim: 2,
 *   outputDim: 3,
 *   grid: uniformGrid({ intervals: 5, order: 3, range: [-1, 1] }),
 *   random: createRandom(0),
 * });
 * const y = layer.apply(tf.tensor2d([[0.1, -0.4]]));
 * assert.deepEqual(y.shape, [1, 3]);
 * layer.dispose();
 * ```
 */
export class KanLayer {
  /** Number of inputs. */
  readonly inputDim: number;
  /** Number of outputs. */
  readonly outputDim: number;
  /** One basis for all inputs, or one for each input. */
  readonly bases: readonly Basis[];
  /** The base function b. */
  readonly base: BaseFunction;
  /** Spline coefficients [inputDim, basis size, outputDim]. */
  readonly coefficients: Variable & Tensor3D;
  /** Base weights [inputDim, outputDim]; absent if `base` is `"none"`. */
  readonly baseWeights: (Variable & Tensor2D) | undefined;
  /** Factors of the splines [inputDim, outputDim]; absent if switched off. */
  readonly splineScales: (Variable & Tensor2D) | undefined;
  /** 1 for a living edge, 0 for a removed one, [inputDim, outputDim]; absent if all live. */
  readonly mask: Tensor2D | undefined;

  private constructor(model: KanLayerModel) {
    const { inputDim, outputDim, bases, base } = model;
    this.inputDim = inputDim;
    this.outputDim = outputDim;
    this.bases = bases;
    this.base = base;
    const edges = (values: Float64Array) =>
      values.length === 0
        ? undefined
        : toVariable(tf.tensor2d(Float32Array.from(values), [inputDim, outputDim]));
    this.coefficients = toVariable(
      tf.tensor3d(Float32Array.from(model.coefficients), [inputDim, bases[0]!.size, outputDim]),
    );
    this.baseWeights = edges(model.baseWeights);
    this.splineScales = edges(model.splineScales);
    this.mask = model.mask.every((alive) => alive === 1)
      ? undefined
      : tf.keep(tf.tensor2d(Float32Array.from(model.mask), [inputDim, outputDim]));
  }

  /**
   * A new layer with random weights; see {@link createKanLayerModel}.
   *
   * @throws RangeError if an option is out of its range.
   */
  static create(options: KanLayerOptions): KanLayer {
    return new KanLayer(createKanLayerModel(options));
  }

  /** A trainable copy of `model`, rounded to float32. */
  static fromModel(model: KanLayerModel): KanLayer {
    return new KanLayer(model);
  }

  /** The current weights as a plain value; waits for the backend. */
  async toModel(): Promise<KanLayerModel> {
    const read = async (tensor: tf.Tensor | undefined) =>
      Float64Array.from(tensor === undefined ? [] : await tensor.data());
    const mask = this.mask === undefined
      ? new Uint8Array(this.inputDim * this.outputDim).fill(1)
      : Uint8Array.from(await this.mask.data());
    return {
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      bases: this.bases,
      base: this.base,
      coefficients: await read(this.coefficients),
      baseWeights: await read(this.baseWeights),
      splineScales: await read(this.splineScales),
      mask,
    };
  }

  /** The spline grid that all inputs share, or undefined if there is none. */
  get grid(): Grid | undefined {
    return this.bases.length === 1 ? gridOf(this.bases[0]!) : undefined;
  }

  /** The trained variables: coefficients, then base weights and spline scales if present. */
  get variables(): Variable[] {
    return [this.coefficients, this.baseWeights, this.splineScales]
      .filter((variable) => variable !== undefined) as Variable[];
  }

  /**
   * The outputs [batch, outputDim] for inputs `x` [batch, inputDim]; differentiable with respect to
   * `x` and the variables.
   *
   * @throws RangeError if the number of inputs is wrong, or as the extrapolation policy says.
   */
  apply(x: Tensor2D): Tensor2D {
    if (x.shape[1] !== this.inputDim) {
      throw new RangeError(`the layer has ${this.inputDim} inputs, got ${x.shape[1]}`);
    }
    return tf.tidy((): Tensor2D => {
      const [batch] = x.shape, size = this.bases[0]!.size;
      let weights: Tensor3D = this.coefficients;
      const scale = multiply(this.splineScales, this.mask);
      if (scale !== undefined) weights = weights.mul(scale.expandDims(1));
      const expansion = expandBasis(this.bases, x);
      const splines: Tensor2D = matMul(
        expansion.reshape<Tensor2D>([batch, this.inputDim * size]),
        weights.reshape<Tensor2D>([this.inputDim * size, this.outputDim]),
      );
      const baseWeights = multiply(this.baseWeights, this.mask);
      if (baseWeights === undefined || this.base === "none") return splines;
      const activated = this.base === "silu" ? x.mul<Tensor2D>(x.sigmoid()) : x;
      return splines.add<Tensor2D>(matMul(activated, baseWeights));
    });
  }

  /** Frees the memory of the layer. */
  dispose(): void {
    for (const variable of this.variables) variable.dispose();
    this.mask?.dispose();
  }
}

function toVariable<R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> {
  const variable = tf.variable(initial);
  initial.dispose();
  return variable;
}

/** The product of two factors, of which either may be absent; absent means a weight of its own. */
function multiply(
  weights: Tensor2D | undefined,
  mask: Tensor2D | undefined,
): Tensor2D | undefined {
  if (weights === undefined || mask === undefined) return weights ?? mask;
  return weights.mul(mask);
}
