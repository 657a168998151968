import * as tf from "@tensorflow/tfjs";
import { releaseMemory } from "../../data/release_memory.ts";
import { tidyValues } from "../compute/backend.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { beginPass, type ForwardPass } from "../layers/forward_pass.ts";
import type { Tap } from "../layers/tap.ts";
import { applyLayer, embed } from "../model/forward.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import {
  addValues,
  type Batch,
  type DriftEngine,
  type DriftEngineOptions,
  type DriftSums,
  type LayerWalk,
  type LinearInputs,
} from "./drift_engine.ts";

/** Runs on the backend that tfjs is set to, in this thread. */
export function openTfjsDriftEngine({ model, batches }: DriftEngineOptions): DriftEngine {
  return {
    walk: (weights) => new TfjsWalk(model, weights, batches),
    add: (sums, x, z, size) => Promise.resolve(addProducts(sums, x, z, size)),
    multiply: (a, b, { rows, depth, columns }) =>
      Promise.resolve(
        tidyValues(() =>
          tf.matMul(tf.tensor2d(a, [rows, depth]), tf.tensor2d(b, [depth, columns]))
        ),
      ),
    close: () => Promise.resolve(),
  };
}

function addProducts(
  { moment, drift }: DriftSums,
  x: Float32Array,
  z: Float32Array,
  size: number,
): void {
  const shape: [number, number] = [z.length / size, size];
  tf.tidy(() => {
    const ours = tf.tensor2d(z, shape);
    // Transposed by itself: products by a transpose are slow.
    const turned = tf.transpose(ours);
    addValues(moment, tf.matMul(turned, ours).dataSync<"float32">());
    const differences = tf.sub(tf.tensor2d(x, shape), ours);
    addValues(drift, tf.matMul(turned, differences).dataSync<"float32">());
  });
}

/** What is wanted of a layer has been seen. */
const seenAll = new Error("a layer is not run further");

class TfjsWalk implements LayerWalk {
  readonly #model: TransformerDescription;
  readonly #parameters: ParameterStore;
  readonly #batches: readonly Batch[];
  /** What goes into the layer ahead, of each batch; nothing before the first. */
  #states: Float32Array[] = [];
  #layer = 0;

  constructor(
    model: TransformerDescription,
    weights: PreparedWeights,
    batches: readonly Batch[],
  ) {
    this.#model = model;
    this.#parameters = new ParameterStore(weights, false);
    this.#batches = batches;
  }

  look(weights: readonly string[]): Promise<LinearInputs[]> {
    return Promise.resolve(this.#runAll(weights, false));
  }

  advance(weights: readonly string[] = []): Promise<LinearInputs[]> {
    const inputs = this.#runAll(weights, true);
    this.#layer++;
    return Promise.resolve(inputs);
  }

  #runAll(weights: readonly string[], advances: boolean): LinearInputs[] {
    if (this.#states.length === 0) {
      this.#states = this.#batches.map((batch) =>
        this.#run(batch, {}, (pass) => embed(pass, this.#model, batch.ids))
      );
    }
    return this.#batches.map((batch, i) => {
      const seen = new Map<string, Float32Array>();
      const input = (name: string, x: tf.Tensor2D) => {
        if (weights.includes(name)) seen.set(name, x.dataSync<"float32">().slice());
        if (!advances && seen.size === weights.length) throw seenAll;
      };
      const before = this.#states[i]!;
      try {
        const after = this.#run(batch, { input }, (pass) => this.#apply(pass, before));
        releaseMemory(before);
        this.#states[i] = after;
      } catch (error) {
        if (error !== seenAll) throw error;
      }
      return seen;
    });
  }

  #apply(pass: ForwardPass, state: Float32Array): tf.Tensor2D {
    const { layers, hiddenSize } = this.#model;
    const x = tf.tensor2d(state, [state.length / hiddenSize, hiddenSize]);
    return applyLayer(pass, layers[this.#layer]!, x);
  }

  #run({ ids, chunks }: Batch, tap: Tap, make: (pass: ForwardPass) => tf.Tensor2D): Float32Array {
    const pass = beginPass(this.#parameters, { batch: chunks, length: ids.length / chunks, tap });
    try {
      return tidyValues(() => make(pass));
    } finally {
      pass.dispose();
      this.#parameters.release();
    }
  }
}
