import * as tf from "@tensorflow/tfjs";
import { KanLayer, type SplinePath } from "./kan_layer.ts";
import { requireModel } from "../model/model_checks.ts";
import type { KanModel } from "../model/model.ts";
import type { ColumnScale, Scaling } from "../model/scaling.ts";
import type { Tensor2D, Tensor3D, Variable } from "../numeric/tensor_types.ts";

/**
 * A trainable network on tfjs, made from a {@link KanModel}, for tfjs training loops and for the
 * speed of the WASM and WebGPU backends. The owner disposes it.
 *
 * ```ts
 * import { createKanModel, createRandom } from "@kanpress/kanpress/kan";
 * import { Kan } from "@kanpress/kanpress/kan/layers";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const kan = Kan.fromModel(createKanModel({ widths: [2, 5, 1], random: createRandom(0) }));
 * const x = tf.tensor2d([[0.1, 0.2], [0.3, 0.4]]);
 * const loss = () => kan.apply(x).square().mean() as tf.Scalar;
 * tf.train.adam(0.01).minimize(loss, false, kan.variables);
 * const model = await kan.toModel();
 * assert.equal(model.layers.length, 2);
 * kan.dispose();
 * ```
 */
export class Kan {
  /** The layers, first to last. */
  readonly layers: readonly KanLayer[];

  /** The raw columns that it takes and gives, if its layers work with scaled ones. */
  readonly scaling: Scaling | undefined;

  private constructor(layers: readonly KanLayer[], scaling: Scaling | undefined) {
    this.layers = layers;
    this.scaling = scaling;
  }

  /**
   * A trainable copy of `model`, rounded to float32.
   *
   * @throws RangeError if the model's arrays do not fit each other or hold a number that is not finite.
   */
  static fromModel(model: KanModel, path: SplinePath = "dense"): Kan {
    requireModel(model);
    return new Kan(model.layers.map((layer) => KanLayer.fromModel(layer, path)), model.scaling);
  }

  /** The current weights as a plain value; waits for the backend. */
  async toModel(): Promise<KanModel> {
    const layers = await Promise.all(this.layers.map((layer) => layer.toModel()));
    return { layers, ...(this.scaling !== undefined && { scaling: this.scaling }) };
  }

  /** The trained variables, in the order of the parameter vector of {@link KanModel}. */
  get variables(): Variable[] {
    return this.layers.flatMap((layer) => layer.variables);
  }

  /**
   * The outputs [batch, outputs] for inputs `x` [batch, inputs]; differentiable.
   *
   * @throws RangeError if the number of inputs is wrong, or as the extrapolation policy says.
   */
  apply(x: Tensor2D): Tensor2D {
    return tf.tidy(() => {
      const scaled = scaleTensor(x, this.scaling?.inputs);
      const nodes = this.layers.reduce((nodes, layer) => layer.apply(nodes), scaled);
      return unscaleTensor(nodes, this.scaling?.outputs);
    });
  }

  /**
   * As {@link apply}, with the inputs and the spline edges of every layer.
   *
   * @throws RangeError as `apply` does.
   */
  applyWithEdges(x: Tensor2D): {
    outputs: Tensor2D;
    layers: { inputs: Tensor2D; edges: Tensor3D }[];
  } {
    let nodes = scaleTensor(x, this.scaling?.inputs);
    const layers = this.layers.map((layer) => {
      const inputs = nodes;
      const result = layer.applyWithEdges(inputs);
      nodes = result.nodes;
      return { inputs, edges: result.edges };
    });
    return { outputs: unscaleTensor(nodes, this.scaling?.outputs), layers };
  }

  /** Frees the memory of all layers. */
  dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }
}

/** Raw columns as the layers see them. */
function scaleTensor(x: Tensor2D, columns: readonly ColumnScale[] | undefined): Tensor2D {
  if (columns === undefined) return x;
  const centers = tf.tensor1d(columns.map(({ center }) => center));
  return x.sub(centers).div(tf.tensor1d(columns.map(({ spread }) => spread)));
}

/** What the last layer computes as raw columns. */
function unscaleTensor(nodes: Tensor2D, columns: readonly ColumnScale[] | undefined): Tensor2D {
  if (columns === undefined) return nodes;
  const spreads = tf.tensor1d(columns.map(({ spread }) => spread));
  return nodes.mul(spreads).add(tf.tensor1d(columns.map(({ center }) => center)));
}
