import * as tf from "@tensorflow/tfjs";
import { KanLayer, type SplinePath } from "./kan_layer.ts";
import { requireModel } from "../model/model_checks.ts";
import type { KanModel } from "../model/model.ts";
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

  private constructor(layers: readonly KanLayer[]) {
    this.layers = layers;
  }

  /**
   * A trainable copy of `model`, rounded to float32.
   *
   * @throws RangeError if the model's arrays do not fit each other or hold a number that is not finite.
   */
  static fromModel(model: KanModel, path: SplinePath = "dense"): Kan {
    requireModel(model);
    return new Kan(model.layers.map((layer) => KanLayer.fromModel(layer, path)));
  }

  /** The current weights as a plain value; waits for the backend. */
  async toModel(): Promise<KanModel> {
    return { layers: await Promise.all(this.layers.map((layer) => layer.toModel())) };
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
    return tf.tidy(() => this.layers.reduce((nodes, layer) => layer.apply(nodes), x));
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
    let nodes = x;
    const layers = this.layers.map((layer) => {
      const inputs = nodes;
      const result = layer.applyWithEdges(inputs);
      nodes = result.nodes;
      return { inputs, edges: result.edges };
    });
    return { outputs: nodes, layers };
  }

  /** Frees the memory of all layers. */
  dispose(): void {
    for (const layer of this.layers) layer.dispose();
  }
}
