import { readValues } from "../compute/backend.ts";
import { hiddenStates } from "../model/forward.ts";
import { type LayerKernels, layerKernels } from "../kernels/layer_kernels.ts";
import { sumLogits } from "../kernels/score_logits.ts";
import { headLogits, headLogitsTensor } from "../model/head_logits.ts";
import type { RunnableModel } from "../model/runnable_model.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import { logitsBlockSize } from "./memory_plan.ts";
import {
  allocateScores,
  finishScore,
  scoreToken,
  type TokenScores,
} from "../scores/token_scores.ts";

/** The hidden states that count, `[rows, hiddenSize]`, one array for each model of a job. */
export type ScoredRows = readonly Float32Array[];

/** Runs a job's sequences through a model, up to the head, and picks the rows that count. */
export async function runJob(
  { description, parameters }: RunnableModel,
  { tokens, batch, rows }: ScoringJob,
): Promise<Float32Array> {
  const isClassifier = description.objective === "classification";
  const hidden = hiddenStates(description, parameters, tokens, batch, isClassifier ? {} : { rows });
  const values = await readValues(hidden);
  hidden.dispose();
  return isClassifier ? pickRows(values, rows, description.hiddenSize) : values;
}

/** Rows of a row-major matrix, in a new one. */
export function pickRows(values: Float32Array, rows: Int32Array, hiddenSize: number): Float32Array {
  const picked = new Float32Array(rows.length * hiddenSize);
  rows.forEach((row, index) => {
    picked.set(values.subarray(row * hiddenSize, (row + 1) * hiddenSize), index * hiddenSize);
  });
  return picked;
}

/**
 * Scores a job's predictions, given what {@linkcode runJob} picked for each model: the original and
 * perhaps the compressed one.
 */
export async function scoreRows(
  models: readonly RunnableModel[],
  rows: ScoredRows,
  labels: Int32Array,
): Promise<TokenScores> {
  const scores = allocateScores(labels.length, models.length > 1);
  const { head, hiddenSize } = models[0]!.description;
  const kernels = layerKernels();
  const blockRows = Math.max(1, Math.floor(logitsBlockSize / head.outputs));
  for (let start = 0; start < labels.length; start += blockRows) {
    const end = Math.min(labels.length, start + blockRows);
    if (kernels !== undefined) {
      scoreByKernels(kernels, models, rows, labels.subarray(start, end), start, scores);
      continue;
    }
    const logits: Float32Array[] = [];
    for (const [index, model] of models.entries()) {
      const block = rows[index]!.subarray(start * hiddenSize, end * hiddenSize);
      logits.push(await headLogits(model, block));
    }
    for (let row = start; row < end; row++) {
      const from = (row - start) * head.outputs;
      const ofRow = logits.map((values) => values.subarray(from, from + head.outputs));
      scoreToken(scores, row, labels[row]!, ofRow);
    }
  }
  for (const { parameters } of models) parameters.release();
  return scores;
}

/** Scores the predictions from `start` on without copying logits out of the memory of the kernels. */
function scoreByKernels(
  kernels: LayerKernels,
  models: readonly RunnableModel[],
  rows: ScoredRows,
  labels: Int32Array,
  start: number,
  scores: TokenScores,
): void {
  const { hiddenSize } = models[0]!.description;
  const logits = models.map((model, index) => {
    const end = start + labels.length;
    const block = rows[index]!.subarray(start * hiddenSize, end * hiddenSize);
    return headLogitsTensor(model, kernels, block);
  });
  sumLogits(kernels, logits, (row, { sum, top, otherSum, otherTop, difference, logit }) => {
    const label = labels[row]!;
    const ofModels = [{ sum, top, largest: logit(0, top), label: logit(0, label) }];
    if (models.length > 1) {
      const largest = logit(1, otherTop);
      ofModels.push({ sum: otherSum, top: otherTop, largest, label: logit(1, label) });
    }
    finishScore(scores, start + row, { models: ofModels, difference });
  });
  for (const tensor of logits) tensor.dispose();
}
