import { requireInteger } from "../numeric/checks.ts";
import * as tf from "@tensorflow/tfjs";
import type { BaseFunction } from "../bases/base_function.ts";
import type { Basis, BasisDescription } from "../bases/basis.ts";
import { createBsplines } from "../bases/bspline.ts";
import { basisFromDescription } from "../bases/describe.ts";
import { uniformGrid, type UniformGridOptions } from "../bases/grid.ts";
import { createKanLayerModel, type Initialization } from "../model/layer_model.ts";
import { applyEdges } from "./kan_layer.ts";
import { createRandom } from "../numeric/random.ts";
import type { Tensor, Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";

/** Added to variances before their root, as torch does. */
const NORM_OFFSET = 1e-5;

/** Configuration of {@link createKanDense}, plain JSON. */
export interface KanDenseOptions {
  /** Number of outputs, at least 1. */
  readonly units: number;
  /** The B-spline grid of all inputs: 5 intervals, order 3, [-1, 1] if omitted. */
  readonly grid?: Partial<UniformGridOptions>;
  /** Another basis for all inputs, instead of B-splines on `grid`. */
  readonly basis?: BasisDescription;
  /** Base function; `"silu"` if omitted. */
  readonly base?: BaseFunction;
  /** How to draw the weights; `"efficient-kan"` if omitted. */
  readonly initialization?: Initialization;
  /** Seed of the weights; 0 if omitted. */
  readonly seed?: number;
  /**
   * Whether the inputs of each sample are first brought to mean 0 and deviation 1 and then to a
   * trained scale and shift of each, as fast-kan does; false if absent.
   */
  readonly layerNorm?: boolean;
  /** Number of inputs, for the first layer of a `tf.sequential` model. */
  readonly inputDim?: number;
  /** Shape of a sample instead, whose last number is that of inputs, e.g. [20, 3] for sequences. */
  readonly inputShape?: readonly number[];
  /** Name of the layer. */
  readonly name?: string;
}

/** A layer of tfjs. */
export type TfLayer = Parameters<ReturnType<(typeof tf)["sequential"]>["add"]>[0];

/**
 * A KAN layer as a layer of `tf.layers`, for `tf.sequential` and `tf.model`; saved and loaded with
 * them. Works along the last dimension of inputs [batch, ..., inputs]. Inputs beyond the grid count as its ends.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createKanDense } from "@kanpress/kanpress/kan/layers";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const model = tf.sequential({
 *   layers: [createKanDense({ units: 8, inputDim: 2 }), createKanDense({ units: 1, seed: 1 })],
 * });
 * model.compile({ optimizer: "adam", loss: "meanSquaredError" });
 * await model.fit(tf.zeros([16, 2]), tf.ones([16, 1]), { epochs: 1, verbose: 0 });
 * assert.deepEqual((model.predict(tf.zeros([4, 2])) as tf.Tensor).shape, [4, 1]);
 * ```
 */
export function createKanDense(options: KanDenseOptions): TfLayer {
  return new KanDense(options);
}

class KanDense extends tf.layers.Layer {
  /** The name under which tfjs saves and finds the class. */
  static className = "KanDense";
  readonly #options: KanDenseOptions;
  readonly #basis: Basis;
  #coefficients: tf.LayerVariable | undefined;
  #splineScales: tf.LayerVariable | undefined;
  #baseWeights: tf.LayerVariable | undefined;
  #normScales: tf.LayerVariable | undefined;
  #normShifts: tf.LayerVariable | undefined;

  constructor(options: KanDenseOptions) {
    const { units, inputDim, inputShape = inputDim === undefined ? undefined : [inputDim], name } =
      options;
    super({
      ...(inputShape !== undefined && { inputShape: [...inputShape] }),
      ...(name !== undefined && { name }),
    });
    requireInteger("units", units, 1);
    if (inputDim !== undefined) requireInteger("inputDim", inputDim, 1);
    options.inputShape?.forEach((size) => requireInteger("inputShape", size, 1));
    requireInteger("seed", options.seed ?? 0);
    this.#options = options;
    this.#basis = options.basis === undefined
      ? createBsplines(uniformGrid({ intervals: 5, ...options.grid }))
      : basisFromDescription(options.basis);
  }

  override build(inputShape: tf.Shape): void {
    const { units, base = "silu", initialization = "efficient-kan", seed = 0 } = this.#options;
    const inputDim = inputShape.at(-1);
    if (inputShape.length < 2 || typeof inputDim !== "number") {
      throw new RangeError(`KanDense takes [batch, ..., inputs], got [${inputShape}]`);
    }
    const model = createKanLayerModel({
      inputDim,
      outputDim: units,
      basis: this.#basis,
      base,
      initialization,
      random: createRandom(seed),
    });
    const add = (name: string, values: Float64Array, shape: number[]) => {
      const weight = this.addWeight(name, shape, "float32", tf.initializers.zeros());
      const initial = tf.tensor(Float32Array.from(values), shape);
      weight.write(initial);
      initial.dispose();
      return weight;
    };
    const { coefficients, splineScales, baseWeights } = model;
    this.#coefficients = add("coefficients", coefficients, [inputDim, this.#basis.size, units]);
    this.#splineScales = add("splineScales", splineScales, [inputDim, units]);
    if (base !== "none") this.#baseWeights = add("baseWeights", baseWeights, [inputDim, units]);
    if (this.#options.layerNorm) {
      this.#normScales = add("normScales", new Float64Array(inputDim).fill(1), [inputDim]);
      this.#normShifts = add("normShifts", new Float64Array(inputDim), [inputDim]);
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const samples = (Array.isArray(inputs) ? inputs[0]! : inputs) as Tensor;
    return tf.tidy(() => {
      const inputDim = samples.shape.at(-1)!;
      const x = this.#normalize(samples.reshape([-1, inputDim]) as Tensor2D);
      const edges = {
        bases: [this.#basis],
        base: this.#options.base ?? "silu",
        coefficients: this.#coefficients!.read() as Tensor3D,
        splineScales: this.#splineScales!.read() as Tensor2D,
        baseWeights: this.#baseWeights?.read() as Tensor2D | undefined,
      };
      const outputs: Tensor = applyEdges(edges, x, "auto");
      return outputs.reshape([...samples.shape.slice(0, -1), this.#options.units]);
    });
  }

  /** Layer normalization, if asked for. */
  #normalize(x: Tensor2D): Tensor2D {
    if (this.#normScales === undefined) return x;
    const centered = x.sub(x.mean(1, true));
    const deviation = centered.square().mean(1, true).add(NORM_OFFSET).sqrt();
    return centered.div<Tensor2D>(deviation).mul<Tensor2D>(this.#normScales.read())
      .add<Tensor2D>(this.#normShifts!.read());
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return [...inputShape.slice(0, -1), this.#options.units];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...structuredClone(this.#options) as object };
  }
}

tf.serialization.registerClass(KanDense);
