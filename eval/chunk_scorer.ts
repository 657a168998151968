import * as tf from "@tensorflow/tfjs";
import type { TransformerDescription } from "./architectures/description.ts";
import { readValues } from "./backend.ts";
import { applyHead, hiddenStates } from "./forward.ts";
import type { ParameterStore } from "./parameter_store.ts";
import { allocateScores, scoreToken, type TokenScores } from "./token_scores.ts";

/** A model and its weights on the current backend. */
export interface RunnableModel {
  /** What to run. */
  readonly description: TransformerDescription;
  /** The weights. */
  readonly parameters: ParameterStore;
}

/** Logits that are held at once, so that large vocabularies need little memory. */
export const logitsBlockSize = 16 * 2 ** 20;

/** Positions whose predictions count: the second half but the last (llama.cpp's protocol). */
export function scoredPositions(contextLength: number): { first: number; count: number } {
  const first = Math.floor(contextLength / 2);
  return { first, count: contextLength - 1 - first };
}

/**
 * Scores the predictions in the second half of each chunk; `tokens` are whole chunks of
 * `contextLength` tokens, `models` the original and perhaps the compressed one.
 */
export async function scoreChunks(
  models: readonly RunnableModel[],
  tokens: Int32Array,
  contextLength: number,
): Promise<TokenScores> {
  const chunks = tokens.length / contextLength;
  const { first, count } = scoredPositions(contextLength);
  const rows: Float32Array[] = [];
  for (const model of models) rows.push(await scoredRows(model, tokens, contextLength));
  const scores = allocateScores(chunks * count, models.length > 1);
  const { head, hiddenSize } = models[0]!.description;
  const vocabularySize = head.outputs;
  const blockRows = Math.max(1, Math.floor(logitsBlockSize / vocabularySize));
  for (let start = 0; start < chunks * count; start += blockRows) {
    const end = Math.min(chunks * count, start + blockRows);
    const logits: Float32Array[] = [];
    for (const [index, model] of models.entries()) {
      const block = rows[index]!.subarray(start * hiddenSize, end * hiddenSize);
      logits.push(await headLogits(model, block));
    }
    for (let row = start; row < end; row++) {
      const chunk = Math.floor(row / count);
      const label = tokens[chunk * contextLength + first + row - chunk * count + 1]!;
      const from = (row - start) * vocabularySize;
      const [original, compressed] = logits.map((l) => l.subarray(from, from + vocabularySize));
      scoreToken(scores, row, label, original!, compressed);
    }
  }
  for (const { parameters } of models) parameters.release();
  return scores;
}

async function scoredRows(
  { description, parameters }: RunnableModel,
  tokens: Int32Array,
  contextLength: number,
): Promise<Float32Array> {
  const chunks = tokens.length / contextLength;
  const { hiddenSize } = description;
  const { first, count } = scoredPositions(contextLength);
  const hidden = hiddenStates(description, parameters, tokens, chunks);
  const values = await readValues(hidden);
  hidden.dispose();
  const rows = new Float32Array(chunks * count * hiddenSize);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const from = (chunk * contextLength + first) * hiddenSize;
    rows.set(values.subarray(from, from + count * hiddenSize), chunk * count * hiddenSize);
  }
  return rows;
}

async function headLogits(
  { description, parameters }: RunnableModel,
  rows: Float32Array,
): Promise<Float32Array> {
  const hidden = tf.tensor2d(rows, [rows.length / description.hiddenSize, description.hiddenSize]);
  const logits = applyHead(description, parameters, hidden);
  const values = await readValues(logits);
  tf.dispose([hidden, logits]);
  return values;
}
