import * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { readValues } from "../backend.ts";
import type { RunnableModel } from "../runnable_model.ts";
import { applyLayer, embed } from "../forward.ts";
import { beginPass } from "../layers/forward_pass.ts";
import { applyNorm, normGradient } from "../layers/normalization.ts";
import type { InputGroup } from "./input_groups.ts";
import type { OutputBlock } from "./output_blocks.ts";
import { sampledLoss } from "./sampled_loss.ts";
import { addStripe, secondMomentStripes } from "./second_moment.ts";
import { takeTurn } from "./turns.ts";

/** Sums over all tokens, in shared memory, that workers add to in turn. */
export interface SharedMoments {
  /** Linear layers by input. */
  readonly groups: readonly InputGroup[];
  /** Lower triangle of Σ x xᵀ of each group. */
  readonly triangles: readonly Float64Array[];
  /** Which job is next to add to each group. */
  readonly turns: Int32Array;
  /** Outputs by block; none where no backward pass is run. */
  readonly blocks: readonly OutputBlock[];
  /** Lower triangle of Σ ∇ ∇ᵀ of each block. */
  readonly blockTriangles: readonly Float64Array[];
  /** Which backward pass is next to add to each block. */
  readonly blockTurns: Int32Array;
}

/** Sums of squared gradients over a job's tokens. */
export interface GradientSums {
  /** Number of the job's tokens. */
  readonly tokens: number;
  /** With respect to each logit. */
  readonly logits: Float64Array;
}

/** What one run of tokens is calibrated with. */
export interface CalibrationJob {
  /** Number of the job, from 0; jobs add to the moments in this order. */
  readonly job: number;
  /** Whole sequences, one after another. */
  readonly ids: Int32Array;
  /** Number of sequences. */
  readonly batch: number;
  /** The backward pass, where there is one. */
  readonly backward?: {
    /** Its number among the backward passes, from 0. */
    readonly turn: number;
    /** Seed of its labels. */
    readonly seed: number;
  };
}

interface Named {
  readonly name: string;
  readonly tensor: tf.Tensor2D;
}

/** Runs one job forward, adding to the moments, and perhaps backward. */
export async function calibrateChunks(
  model: RunnableModel,
  moments: SharedMoments,
  { job, ids, batch, backward }: CalibrationJob,
): Promise<GradientSums | undefined> {
  const { description, parameters } = model;
  const seen: Named[] = [];
  const length = ids.length / batch;
  const pass = beginPass(parameters, {
    batch,
    length,
    tap: { input: (name, x) => seen.push({ name, tensor: tf.keep(tf.clone(x)) }) },
  });
  const states = [tf.tidy(() => embed(pass, description, ids))];
  for (const layer of description.layers) {
    const before = states.at(-1)!;
    states.push(tf.tidy(() => applyLayer(pass, layer, before)));
    if (backward === undefined) states.shift()!.dispose();
    await addMoments(moments, job, seen);
    parameters.release();
  }
  const last = states.pop()!;
  const normed = tf.tidy(() => applyNorm(pass, finalNormOf(description), last));
  pass.dispose();
  const hidden = await readValues(normed);
  await addMoments(moments, job, [{ name: description.head.weight, tensor: normed }]);
  if (backward === undefined) {
    last.dispose();
    return undefined;
  }
  const random = createRandom(Math.imul(backward.seed, 0x9e3779b1) + job);
  const { hiddenGradient, logitFisher } = await sampledLoss(model, hidden, random);
  parameters.release();
  const visit = (seen: Named) => addOutputMoments(moments, backward.turn, seen);
  await runBackward(model, batch, states, last, hiddenGradient, visit);
  return { tokens: ids.length, logits: logitFisher };
}

/** The last norm, which every model that predicts next tokens has. */
export function finalNormOf({ modelType, objective, finalNorm }: TransformerDescription) {
  if (finalNorm !== undefined && objective === "nextToken") return finalNorm;
  throw new InputError(`${modelType} models cannot be calibrated: they do not predict next tokens`);
}

/** Adds the inputs seen to the moments of their groups and frees them. */
async function addMoments(moments: SharedMoments, job: number, seen: Named[]): Promise<void> {
  for (const { name, tensor } of seen.splice(0)) {
    const index = moments.groups.findIndex(({ linears }) => linears[0]!.weight === name);
    if (index >= 0) {
      const { size } = moments.groups[index]!;
      const stripes = await secondMomentStripes(await readValues(tensor), size);
      takeTurn(moments.turns, index, job, () => {
        for (const stripe of stripes) addStripe(moments.triangles[index]!, size, stripe);
      });
    }
    tensor.dispose();
  }
}

/** Adds the gradients by a layer's outputs to the moments of its blocks. */
async function addOutputMoments(
  { blocks, blockTriangles, blockTurns }: SharedMoments,
  turn: number,
  { name, tensor }: Named,
): Promise<void> {
  const values = await readValues(tensor);
  for (const [index, { weight, start, size }] of blocks.entries()) {
    if (weight !== name) continue;
    const stripes = await secondMomentStripes(
      columnsOf(values, tensor.shape[1], start, size),
      size,
    );
    takeTurn(blockTurns, index, turn, () => {
      for (const stripe of stripes) addStripe(blockTriangles[index]!, size, stripe);
    });
  }
}

/** Columns of a row-major matrix. */
function columnsOf(values: Float32Array, width: number, start: number, size: number): Float32Array {
  if (size === width) return values;
  const columns = new Float32Array(values.length / width * size);
  for (let from = start, to = 0; from < values.length; from += width, to += size) {
    columns.set(values.subarray(from, from + size), to);
  }
  return columns;
}

/**
 * Goes back layer by layer, running each one forward again, so that one layer's intermediate
 * results are held at a time. `visit` sees the gradients by the outputs of the linear layers and of the
 * embedding. Frees `states` (the inputs of the layers) and `last`.
 */
async function runBackward(
  { description, parameters }: RunnableModel,
  batch: number,
  states: tf.Tensor2D[],
  last: tf.Tensor2D,
  hiddenGradient: Float32Array,
  visit: (seen: Named) => Promise<void>,
): Promise<void> {
  const seen: Named[] = [];
  const pass = beginPass(parameters, {
    batch,
    length: last.shape[0] / batch,
    tap: {
      outputGradient: (name, tensor) => seen.push({ name, tensor: tf.keep(tf.clone(tensor)) }),
    },
  });
  let gradient = tf.tidy(() =>
    normGradient(pass, finalNormOf(description), last, tf.tensor2d(hiddenGradient, last.shape))
  );
  last.dispose();
  for (const layer of description.layers.toReversed()) {
    const state = states.pop()!;
    const above = gradient;
    const differentiate = tf.grad((x) => applyLayer(pass, layer, x as tf.Tensor2D));
    gradient = tf.tidy(() => differentiate(state, above) as tf.Tensor2D);
    tf.dispose([state, above]);
    for (const output of seen.splice(0)) {
      await visit(output);
      output.tensor.dispose();
    }
    parameters.release();
  }
  await visit({ name: description.tokenEmbedding, tensor: gradient });
  gradient.dispose();
  pass.dispose();
}
