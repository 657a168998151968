import * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { readValues } from "../compute/backend.ts";
import type { RunnableModel } from "../model/runnable_model.ts";
import { applyLayer, embed } from "../model/forward.ts";
import { beginPass } from "../layers/forward_pass.ts";
import { applyNorm, normGradient } from "../layers/normalization.ts";
import type { InputGroup } from "./input_groups.ts";
import type { OutputBlock } from "./output_blocks.ts";
import { sampledLoss } from "./sampled_loss.ts";
import { addStripe, type MomentTriangle, secondMomentStripes } from "./second_moment.ts";
import {
  rowEnergies,
  rowPowers,
  sumTokens,
  type TokenSums,
  weighRows,
} from "../layers/token_counts.ts";
import { takeTurn } from "./turns.ts";

/** Sums over all tokens, in shared memory, that workers add to in turn. */
export interface SharedMoments {
  /** Linear layers by input. */
  readonly groups: readonly InputGroup[];
  /** Lower triangle of Σ e^p x xᵀ of each group, with e the energy of the token's gradient there. */
  readonly triangles: readonly MomentTriangle[];
  /** Σ e of each group; last, of the embedded tokens' gradients. */
  readonly energies: Float64Array;
  /** Σ e^p of the same: what tokens count. */
  readonly counts: Float64Array;
  /** Which job is next to add to each group. */
  readonly turns: Int32Array;
  /** Outputs by block; none where no backward pass is run. */
  readonly blocks: readonly OutputBlock[];
  /** Lower triangle of Σ e^p ∇ ∇ᵀ / e of each block, with e of all that share its layer's inputs. */
  readonly blockTriangles: readonly MomentTriangle[];
  /** Which job is next to add to each block. */
  readonly blockTurns: Int32Array;
}

/** What one run of tokens is calibrated with. */
export interface CalibrationJob {
  /** Number of the job, from 0; jobs add to the moments in this order. */
  readonly job: number;
  /** Whole sequences, one after another. */
  readonly ids: Int32Array;
  /** Number of sequences. */
  readonly batch: number;
  /** Seed of the labels of the backward pass, if there is one. */
  readonly labelSeed?: number;
}

interface Named {
  readonly name: string;
  readonly tensor: tf.Tensor2D;
}

/** Keeps what a tap sees. */
function keeping(seen: Named[]) {
  return (name: string, x: tf.Tensor2D) => void seen.push({ name, tensor: tf.keep(tf.clone(x)) });
}

/**
 * Runs one job forward, and perhaps backward, adding to the moments. A backward pass gives Σ p (1 - p)
 * of each logit over the job's tokens.
 */
export async function calibrateChunks(
  model: RunnableModel,
  moments: SharedMoments,
  { job, ids, batch, labelSeed }: CalibrationJob,
): Promise<Float64Array | undefined> {
  const { description, parameters } = model;
  const isBackward = labelSeed !== undefined;
  const seen: Named[] = [];
  const length = ids.length / batch;
  const pass = beginPass(parameters, {
    batch,
    length,
    // With a backward pass, inputs are looked at there, beside the gradients.
    ...(isBackward ? {} : { tap: { input: keeping(seen) } }),
  });
  const states = [tf.tidy(() => embed(pass, description, ids))];
  for (const layer of description.layers) {
    const before = states.at(-1)!;
    states.push(tf.tidy(() => applyLayer(pass, layer, before)));
    if (!isBackward) states.shift()!.dispose();
    for (const { name, tensor } of seen.splice(0)) {
      await addInputs(moments, job, name, await takeValues(tensor));
    }
    parameters.release();
  }
  const last = states.pop()!;
  const normed = tf.tidy(() => applyNorm(pass, finalNormOf(description), last));
  pass.dispose();
  const hidden = await takeValues(normed);
  const head = description.head.weight;
  if (!isBackward) {
    last.dispose();
    await addInputs(moments, job, head, hidden);
    return undefined;
  }
  const random = createRandom(Math.imul(labelSeed, 0x9e3779b1) + job);
  const { hiddenGradient, logitFisher, energies } = await sampledLoss(model, hidden, random);
  await addInputs(moments, job, head, hidden, energies);
  parameters.release();
  const visit = (inputs: Named[], gradients: Named[]) => addLayer(moments, job, inputs, gradients);
  const embedded = await runBackward(model, batch, states, last, hiddenGradient, visit);
  await addEmbedding(moments, job, description, embedded);
  return logitFisher;
}

/** The last norm, which every model that predicts next tokens has. */
export function finalNormOf({ modelType, objective, finalNorm }: TransformerDescription) {
  if (finalNorm !== undefined && objective === "nextToken") return finalNorm;
  throw new InputError(`${modelType} models cannot be calibrated: they do not predict next tokens`);
}

/** Adds what a layer's backward pass saw, and frees it. */
async function addLayer(
  moments: SharedMoments,
  job: number,
  inputs: Named[],
  gradients: Named[],
): Promise<void> {
  const seen = new Map<string, Float32Array>();
  for (const { name, tensor } of gradients.splice(0)) seen.set(name, await takeValues(tensor));
  for (const { name, tensor } of inputs.splice(0)) {
    const group = moments.groups.find(({ linears }) => linears[0]!.weight === name);
    const values = await takeValues(tensor);
    if (group === undefined) continue;
    const energies = new Float32Array(values.length / group.size);
    for (const { weight, outputs } of group.linears) {
      rowEnergies(seen.get(weight)!, outputs).forEach((energy, token) =>
        energies[token]! += energy
      );
    }
    await addInputs(moments, job, name, values, energies);
    for (const { weight, outputs } of group.linears) {
      await addOutputs(
        moments,
        job,
        weight,
        weighRows(seen.get(weight)!, energies, rowPowers.gradients),
        outputs,
      );
    }
  }
}

/** Adds the gradients by the embedded tokens. */
async function addEmbedding(
  moments: SharedMoments,
  job: number,
  { tokenEmbedding, hiddenSize }: TransformerDescription,
  values: Float32Array,
): Promise<void> {
  const energies = rowEnergies(values, hiddenSize);
  const weighed = weighRows(values, energies, rowPowers.gradients);
  await addOutputs(moments, job, tokenEmbedding, weighed, hiddenSize, sumTokens(energies));
}

/** Reads a tensor's values and frees it. */
async function takeValues(tensor: tf.Tensor2D): Promise<Float32Array> {
  const values = await readValues(tensor);
  tensor.dispose();
  return values;
}

/** Adds a layer's inputs to the moments of its group; all count as 1 where there are not energies. */
async function addInputs(
  moments: SharedMoments,
  job: number,
  name: string,
  values: Float32Array,
  energies?: Float32Array,
): Promise<void> {
  const index = moments.groups.findIndex(({ linears }) => linears[0]!.weight === name);
  if (index < 0) return;
  const { size } = moments.groups[index]!;
  const tokens = values.length / size;
  const sums = energies === undefined ? { energy: tokens, count: tokens } : sumTokens(energies);
  const weighed = energies === undefined ? values : weighRows(values, energies, rowPowers.inputs);
  const stripes = await secondMomentStripes(weighed, size);
  takeTurn(moments.turns, index, job, () => {
    for (const stripe of stripes) addStripe(moments.triangles[index]!, size, stripe);
    addEnergies(moments, index, sums);
  });
}

/** Adds to the sums of energies of a group, or, behind all groups, of the embedding's gradients. */
export function addEnergies(
  { energies, counts }: SharedMoments,
  index: number,
  { energy, count }: TokenSums,
): void {
  energies[index]! += energy;
  counts[index]! += count;
}

/** Adds the gradients by a layer's outputs to the moments of its blocks; the embedding's with their sums. */
async function addOutputs(
  moments: SharedMoments,
  job: number,
  name: string,
  values: Float32Array,
  outputs: number,
  sums?: TokenSums,
): Promise<void> {
  const { blocks, blockTriangles, blockTurns, groups } = moments;
  for (const [index, { weight, start, size }] of blocks.entries()) {
    if (weight !== name) continue;
    const stripes = await secondMomentStripes(columnsOf(values, outputs, start, size), size);
    takeTurn(blockTurns, index, job, () => {
      for (const stripe of stripes) addStripe(blockTriangles[index]!, size, stripe);
      if (sums !== undefined) addEnergies(moments, groups.length, sums);
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
 * results are held at a time. `visit` sees the inputs of the linear layers and the gradients by their
 * outputs. Gives the gradient by the embedded tokens. Frees `states` (the inputs of the layers) and
 * `last`.
 */
async function runBackward(
  { description, parameters }: RunnableModel,
  batch: number,
  states: tf.Tensor2D[],
  last: tf.Tensor2D,
  hiddenGradient: Float32Array,
  visit: (inputs: Named[], gradients: Named[]) => Promise<void>,
): Promise<Float32Array> {
  const inputs: Named[] = [], gradients: Named[] = [];
  const pass = beginPass(parameters, {
    batch,
    length: last.shape[0] / batch,
    tap: { input: keeping(inputs), outputGradient: keeping(gradients) },
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
    await visit(inputs, gradients);
    parameters.release();
  }
  pass.dispose();
  return await takeValues(gradient);
}
