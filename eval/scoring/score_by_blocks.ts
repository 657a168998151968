import * as tf from "@tensorflow/tfjs";
import type { WeightSource } from "../../data/tensor.ts";
import type { LinearDescription, TransformerDescription } from "../architectures/description.ts";
import { readValues, releaseValues } from "../compute/backend.ts";
import { type HeadBlock, headBlocks, headBlockWidth } from "../model/head_blocks.ts";
import { headInput, multiplyHead } from "../model/head_logits.ts";
import { loadRows, loadTensors } from "../weights/load_tensors.ts";
import { largestLayerWeights } from "./memory_plan.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import {
  addLogits,
  allocateScores,
  findLargest,
  finishScore,
  type PartialScore,
  startScore,
  type TokenScores,
} from "../scores/token_scores.ts";

/** What {@linkcode scoreByBlocks} is given. */
export interface BlockScoring {
  /** The architecture. */
  readonly model: TransformerDescription;
  /** The original and perhaps the compressed weights. */
  readonly sources: readonly WeightSource[];
  /** For each source and job, the hidden states that count, `[rows, hiddenSize]`. */
  readonly rows: readonly (readonly Float32Array[])[];
  /** The jobs. */
  readonly jobs: readonly ScoringJob[];
  /** Called after each of {@linkcode scoringSteps} steps. */
  readonly advance: () => void;
}

/** Logits that are held at once. */
const logitsAtOnce = 2 ** 20;

/** Outputs of the head that are held at once: as many as give a quarter of a layer's weights. */
function lowMemoryBlocks(model: TransformerDescription): HeadBlock[] {
  const width = Math.floor(largestLayerWeights(model) / model.head.inputs / 4);
  return headBlocks(model.head, Math.max(headBlockWidth, width));
}

/** How many steps {@linkcode scoreByBlocks} has. */
export function scoringSteps(model: TransformerDescription): number {
  return 2 * lowMemoryBlocks(model).length;
}

/**
 * Scores predictions as `scoreRows` does, with the same numbers, but holds one block of the head's
 * outputs at a time. All blocks are read twice: once to find the largest logits, once to sum
 * exponentials.
 */
export async function scoreByBlocks(scoring: BlockScoring): Promise<TokenScores[]> {
  const { model, sources, jobs, advance } = scoring;
  const inputs = await transformRows(scoring);
  const partial = jobs.map(({ labels }) => Array.from(labels, () => startScore(sources.length)));
  for (const take of [takeLargest, takeSums]) {
    for (const block of lowMemoryBlocks(model)) {
      const heads: ParameterStore[] = [];
      for (const source of sources) heads.push(await loadHeadPart(model.head, source, block));
      for (const [index, { labels }] of jobs.entries()) {
        const ofModels = inputs.map((ofModel) => ofModel[index]!);
        await scoreBlock(
          model,
          heads,
          block,
          ofModels,
          (row, logits) => take(partial[index]![row]!, block[0], labels[row]!, logits),
        );
      }
      for (const head of heads) head.dispose();
      advance();
    }
  }
  return partial.map((ofJob) => {
    const scores = allocateScores(ofJob.length, sources.length > 1);
    ofJob.forEach((score, row) => finishScore(scores, row, score));
    return scores;
  });
}

function takeLargest(
  score: PartialScore,
  start: number,
  _label: number,
  logits: readonly Float32Array[],
): void {
  logits.forEach((values, model) => findLargest(score, model, start, values));
}

const takeSums = addLogits;

/** The rows as they go into the head's product. */
async function transformRows(
  { model, sources, rows }: BlockScoring,
): Promise<readonly (readonly Float32Array[])[]> {
  if (model.headTransform === undefined) return rows;
  const { linear, norm } = model.headTransform;
  const names = [linear.weight, linear.bias, norm?.weight, norm?.bias];
  const transformed: Float32Array[][] = [];
  for (const [index, source] of sources.entries()) {
    const parameters = await loadTensors(model, source, names.filter((name) => name !== undefined));
    const ofModel: Float32Array[] = [];
    for (const hidden of rows[index]!) {
      const x = headInput({ description: model, parameters }, hidden);
      ofModel.push((await readValues(x)).slice());
      x.dispose();
    }
    parameters.dispose();
    transformed.push(ofModel);
  }
  return transformed;
}

async function loadHeadPart(
  { weight, bias }: LinearDescription,
  source: WeightSource,
  block: HeadBlock,
): Promise<ParameterStore> {
  const store = new ParameterStore(new Map(), true);
  // Every architecture stores its head as [outputs, inputs]: a row is an output.
  await loadRows(store, source, weight, block, true);
  if (bias !== undefined) await loadRows(store, source, bias, block, false);
  return store;
}

/** Calls `visit` with each row's logits of the block, of all models. */
async function scoreBlock(
  model: TransformerDescription,
  heads: readonly ParameterStore[],
  [start, end]: HeadBlock,
  inputs: readonly Float32Array[],
  visit: (row: number, logits: readonly Float32Array[]) => void,
): Promise<void> {
  const { head, hiddenSize } = model;
  const width = end - start;
  const step = Math.max(1, Math.floor(logitsAtOnce / width));
  const count = inputs[0]!.length / hiddenSize;
  for (let first = 0; first < count; first += step) {
    const last = Math.min(count, first + step);
    const blocks: Float32Array[] = [];
    for (const [index, parameters] of heads.entries()) {
      const rows = inputs[index]!.subarray(first * hiddenSize, last * hiddenSize);
      const x = tf.tensor2d(rows, [last - first, hiddenSize]);
      const bias = head.bias === undefined ? undefined : parameters.vector(head.bias);
      blocks.push(await multiplyHead(model, x, parameters.forProducts(head.weight), bias));
      x.dispose();
    }
    for (let row = first; row < last; row++) {
      const from = (row - first) * width;
      visit(row, blocks.map((values) => values.subarray(from, from + width)));
    }
    blocks.forEach(releaseValues);
  }
}
