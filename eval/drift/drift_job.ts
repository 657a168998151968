import * as tf from "@tensorflow/tfjs";
import type { TransformerDescription } from "../architectures/description.ts";
import { takeTurn } from "../calibration/turns.ts";
import { tidyValues } from "../compute/backend.ts";
import { layerKernels } from "../kernels/layer_kernels.ts";
import { multiplyByItself, multiplyStored, multiplyTransposed } from "../kernels/multiply.ts";
import { beginPass, type ForwardPass } from "../layers/forward_pass.ts";
import { applyLayer, embed } from "../model/forward.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import {
  type PreparedWeights,
  receiveWeights,
  type SentTensor,
} from "../weights/prepared_weights.ts";
import type { Batch } from "./drift_engine.ts";
import { addValues, type DriftSums, type Multiply } from "./drift_sums.ts";
import type { FitAsk } from "./fit_drift.ts";

/** What the two models have in common. */
export interface DriftModel {
  readonly description: TransformerDescription;
  readonly original: PreparedWeights;
}

/** A step of one batch through a layer. All values are in shared memory. */
export interface LayerJob {
  readonly kind: "layer";
  readonly batch: Batch;
  /** Number of the layer; without one, the states before the first are made. */
  readonly layer?: number;
  /** Weights that take the places of the original's. */
  readonly replaced: ReadonlyMap<string, SentTensor>;
  /** The states before the layer, `[tokens, hiddenSize]`, where those after it go. */
  readonly states: Float32Array;
  /** Whether the batch goes through the layer. */
  readonly advances: boolean;
  /** What goes into linear maps, by their weights, as far as it is known. */
  readonly known: ReadonlyMap<string, Float32Array>;
  /** Where what goes into linear maps is written, by their weights. */
  readonly inputs: ReadonlyMap<string, Float32Array>;
  /** A linear map of which what goes into it is compared with the original's. */
  readonly compared?: ComparedInput;
}

/** What goes into a linear map, and where its products are added. */
export interface ComparedInput {
  readonly weight: string;
  /** What goes into the original's, `[tokens, size]`. */
  readonly original: Float32Array;
  readonly sums: DriftSums;
  /** The turns of batches at sums (see `takeTurn`): which of the sums', and when. */
  readonly turns: Int32Array;
  readonly index: number;
  readonly turn: number;
  /** What the residual stream misses, if the map writes to it. */
  readonly residual?: MissingStates;
}

/** What a stream of quantized states misses. */
export interface MissingStates {
  /** Before the layer, `[tokens, hiddenSize]`. */
  readonly gap: Float32Array;
  /** Another map that has written to the stream since. */
  readonly before?: {
    readonly weight: string;
    /** What goes into the original's, `[tokens, inputs]`. */
    readonly original: Float32Array;
  };
}

/** A fit of a change. */
export interface FitJob extends FitAsk {
  readonly kind: "fit";
}

/** What a worker is asked for. */
export type DriftJob = LayerJob | FitJob;

/** What is wanted of a layer has been seen. */
const seenAll = new Error("a layer is not run further");

/** Runs a step by tfjs. */
export function runLayerJob({ description, original }: DriftModel, job: LayerJob): void {
  const { batch: { ids, chunks }, replaced, states, layer, advances, known, inputs, compared } =
    job;
  const before = compared?.residual?.before;
  const wanted = new Set([
    ...inputs.keys(),
    ...[compared, before].flatMap((each) => each?.weight ?? []),
  ]);
  const seen = new Map<string, Float32Array>();
  const tap = {
    knownInput(weight: string) {
      const values = known.get(weight);
      return values && tf.tensor2d(values, [ids.length, values.length / ids.length]);
    },
    input(weight: string, x: tf.Tensor2D) {
      if (wanted.has(weight)) seen.set(weight, x.dataSync<"float32">());
      if (!advances && seen.size === wanted.size) throw seenAll;
    },
  };
  const weights = new Map([...original, ...receiveWeights(replaced)]);
  const parameters = new ParameterStore(weights, false);
  const pass = beginPass(parameters, { batch: chunks, length: ids.length / chunks, tap });
  const make = (pass: ForwardPass) => {
    if (layer === undefined) return embed(pass, description, ids);
    const x = tf.tensor2d(states, [ids.length, description.hiddenSize]);
    return applyLayer(pass, description.layers[layer]!, x);
  };
  try {
    states.set(tidyValues(() => make(pass)));
  } catch (error) {
    if (error !== seenAll) throw error;
  } finally {
    pass.dispose();
    parameters.release();
  }
  for (const [weight, values] of inputs) values.set(seen.get(weight)!);
  if (compared !== undefined) addProducts({ original, ours: weights }, compared, seen, ids.length);
}

/** Adds ZᵀZ and ZᵀY when it is this batch's turn. */
function addProducts(
  weights: { readonly original: PreparedWeights; readonly ours: PreparedWeights },
  { weight, original, sums, turns, index, turn, residual }: ComparedInput,
  seen: ReadonlyMap<string, Float32Array>,
  tokens: number,
): void {
  const theirs = new ParameterStore(weights.original, false);
  const ours = new ParameterStore(weights.ours, false);
  const rows = (values: Float32Array) => tf.tensor2d(values, [tokens, values.length / tokens]);
  const product = (values: Float32Array, store: ParameterStore, weight: string) =>
    multiplyStored(rows(values), store.forProducts(weight));
  const z = rows(seen.get(weight)!);
  const moment = tidyValues(() => productByItself(z));
  const missing = tidyValues(() => {
    const difference = tf.sub<tf.Tensor2D>(rows(original), z);
    if (residual === undefined) return multiplyTransposed(z, difference);
    const { gap, before } = residual;
    const parts = [rows(gap), multiplyStored(difference, theirs.forProducts(weight))];
    if (before !== undefined) {
      const { weight, original } = before;
      parts.push(product(original, theirs, weight));
      parts.push(tf.neg(product(seen.get(weight)!, ours, weight)));
    }
    return multiplyTransposed(z, tf.addN(parts) as tf.Tensor2D);
  });
  z.dispose();
  theirs.release();
  ours.release();
  takeTurn(turns, index, turn, () => {
    addValues(sums.moment, moment);
    addValues(sums.missing, missing);
  });
}

/** ZᵀZ, perhaps without what is above the diagonal. */
function productByItself(z: tf.Tensor2D): tf.Tensor2D {
  const kernels = layerKernels();
  if (kernels === undefined) return multiplyTransposed(z, z);
  return multiplyByItself(kernels, z, 0, z.shape[1]);
}

/** Products by the kernels of a layer's, where there are some. */
export const multiplyHere: Multiply = (a, b, { rows, depth, columns }) =>
  Promise.resolve(tidyValues(() => {
    const tensor = tf.tensor2d(b, [depth, columns]);
    return multiplyStored(tf.tensor2d(a, [rows, depth]), { tensor, transposed: false });
  }));
