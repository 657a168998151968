import {
  allocateScores,
  finishScore,
  startScore,
  type TokenScores,
} from "../scores/token_scores.ts";
import { headValues } from "./head_graphs.ts";
import { headFeeds, headParts, scoreSession, sumOfRow } from "./head_parts.ts";
import type { NativeModel } from "./native_model.ts";
import type { NativeResults } from "./part_runner.ts";

/** Rows that are scored at once. */
const rowsAtOnce = 1024;

/**
 * Scores predictions of one or two models, given the finished rows of each. Sums over short runs
 * of the head's outputs are in float32, sums of those in float64.
 */
export async function scoreRows(
  models: readonly NativeModel[],
  finished: readonly Float32Array[],
  labels: Int32Array,
): Promise<TokenScores> {
  const scores = allocateScores(labels.length, models.length > 1);
  const { hiddenSize } = models[0]!.description;
  for (let start = 0; start < labels.length; start += rowsAtOnce) {
    const end = Math.min(labels.length, start + rowsAtOnce);
    const rows = finished.map((all) => all.subarray(start * hiddenSize, end * hiddenSize));
    await scoreBlock(models, rows, labels.subarray(start, end), scores, start);
  }
  return scores;
}

async function scoreBlock(
  models: readonly NativeModel[],
  rows: readonly Float32Array[],
  labels: Int32Array,
  scores: TokenScores,
  firstRow: number,
): Promise<void> {
  const [{ description, parts }] = models as [NativeModel];
  const { head } = description;
  const hidden: Record<string, ReturnType<typeof parts.floats>> = {};
  for (const [index, model] of models.entries()) {
    const values = await model.transform(rows[index]!);
    hidden[headValues.hidden(index)] = parts.floats(values, labels.length, head.inputs);
  }
  const partial = Array.from(labels, () => startScore(models.length));
  for (const part of headParts(description)) {
    const { start, end } = part;
    const within = labels.map((label) => label >= start && label < end ? label - start : 0);
    const feeds = { ...hidden, [headValues.labels]: parts.integers(within, labels.length, 1) };
    models.forEach((model, index) => Object.assign(feeds, headFeeds(model, part, index)));
    const session = await scoreSession(models[0]!, part, models.length);
    const results = await session.run(feeds, session.outputNames);
    partial.forEach((score, row) => addPart(score, row, results, part, labels));
  }
  partial.forEach((score, row) => finishScore(scores, firstRow + row, score));
}

/** Takes in what some outputs of the heads gave for a row. */
function addPart(
  score: ReturnType<typeof startScore>,
  row: number,
  results: NativeResults,
  { start, end }: { readonly start: number; readonly end: number },
  labels: Int32Array,
): void {
  const { largest, top, sums: sumsOf, label: labelOf, difference } = headValues;
  const label = labels[row]!;
  score.models.forEach((sums, model) => {
    const partLargest = Number(results[largest(model)]!.data[row]);
    const partSum = sumOfRow(results[sumsOf(model)]!, row, labels.length);
    const grown = partLargest > sums.largest;
    const scale = grown ? Math.exp(sums.largest - partLargest) : 1;
    const share = grown ? 1 : Math.exp(partLargest - sums.largest);
    sums.sum = sums.sum * scale + partSum * share;
    if (model === 0 && score.models.length > 1) {
      const part = Number(results[difference]!.data[row]);
      score.difference = score.difference * scale + part * share;
    }
    if (grown) {
      sums.largest = partLargest;
      sums.top = start + Number(results[top(model)]!.data[row]);
    }
    if (label >= start && label < end) sums.label = Number(results[labelOf(model)]!.data[row]);
  });
}
