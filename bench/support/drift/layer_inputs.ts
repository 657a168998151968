import * as tf from "@tensorflow/tfjs";
import type { TransformerDescription } from "../../../eval/architectures/description.ts";
import { beginPass, type ForwardPass } from "../../../eval/layers/forward_pass.ts";
import type { Tap } from "../../../eval/layers/tap.ts";
import { applyLayer, embed } from "../../../eval/model/forward.ts";
import { ParameterStore } from "../../../eval/weights/parameter_store.ts";
import type { PreparedWeights } from "../../../eval/weights/prepared_weights.ts";

/** Equally long chunks of tokens, one after another. */
export interface Batch {
  readonly ids: Int32Array;
  /** Number of chunks. */
  readonly chunks: number;
}

/**
 * Goes through a model layer by layer, on tfjs. Weights may be replaced in the map that it was given
 * while it stands before a layer.
 */
export class LayerInputs {
  readonly #model: TransformerDescription;
  readonly #parameters: ParameterStore;
  readonly #batches: readonly Batch[];
  /** What goes into the layer ahead, of each batch; nothing before the first. */
  #states: readonly Float32Array[] = [];
  #layer = 0;

  /** Stands before the first layer; tokens are embedded when they are first needed. */
  constructor(model: TransformerDescription, weights: PreparedWeights, batches: readonly Batch[]) {
    this.#model = model;
    this.#parameters = new ParameterStore(weights, false);
    this.#batches = batches;
  }

  /**
   * The inputs of linear maps of the layer ahead by the names of their weights, `[tokens, inputs]` of
   * each batch.
   */
  inputs(weights: readonly string[]): Map<string, Float32Array>[] {
    this.#states = this.#embedded();
    return this.#batches.map((batch, i) => {
      const seen = new Map<string, Float32Array>();
      const input = (name: string, x: tf.Tensor2D) => {
        if (weights.includes(name)) seen.set(name, x.dataSync<"float32">().slice());
      };
      this.#run(batch, { input }, (pass) => this.#apply(pass, this.#states[i]!));
      return seen;
    });
  }

  /** Goes through the layer ahead. */
  advance(): void {
    const states = this.#embedded();
    this.#states = this.#batches.map((batch, i) =>
      this.#run(batch, {}, (pass) => this.#apply(pass, states[i]!))
    );
    this.#layer++;
  }

  #embedded(): readonly Float32Array[] {
    if (this.#states.length > 0) return this.#states;
    return this.#batches.map((batch) =>
      this.#run(batch, {}, (pass) => embed(pass, this.#model, batch.ids))
    );
  }

  #apply(pass: ForwardPass, state: Float32Array): tf.Tensor2D {
    const { layers, hiddenSize } = this.#model;
    const x = tf.tensor2d(state, [state.length / hiddenSize, hiddenSize]);
    return applyLayer(pass, layers[this.#layer]!, x);
  }

  #run({ ids, chunks }: Batch, tap: Tap, make: (pass: ForwardPass) => tf.Tensor2D): Float32Array {
    const pass = beginPass(this.#parameters, { batch: chunks, length: ids.length / chunks, tap });
    try {
      return tf.tidy(() => make(pass).dataSync<"float32">().slice());
    } finally {
      pass.dispose();
      this.#parameters.release();
    }
  }
}
