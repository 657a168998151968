import {
  allocateScores,
  finishScore,
  startScore,
  type TokenScores,
} from "../scores/token_scores.ts";
import { headValues } from "./head_graphs.ts";
import { headFeeds, scoreSession, sumOfRow } from "./head_feeds.ts";
import { headParts } from "./head_parts.ts";
import type { NativeModel } from "./native_model.ts";
import type { NativeResults } from "./part_runner.ts";
import type { NativeTensor } from "./runtime.ts";

/** Rows that are scored at once. */
const rowsAtOnce = 1024;

/**
 * Scores predictions of one or two models, given the finished rows of each. Sums over short runs
 * of the head's outputs are in float32, sums of those in float64. Each part of the heads is needed
 * once; `advance` is called after it.
 */
export async function scoreRows(
  models: readonly NativeModel[],
  finished: readonly Float32Array[],
  labels: Int32Array,
  advance: () => void = () => {},
): Promise<TokenScores> {
  const [{ description, parts }] = models as [NativeModel];
  const { head: { inputs } } = description;
  const hidden: Float32Array[] = [];
  for (const [index, model] of models.entries()) {
    hidden.push(await model.transform(finished[index]!));
  }
  const partial = Array.from(labels, () => startScore(models.length));
  for (const part of headParts(description)) {
    const feeds: Record<string, NativeTensor> = {};
    for (const [index, model] of models.entries()) {
      Object.assign(feeds, await headFeeds(model, part, index));
    }
    const session = await scoreSession(models[0]!, part, models.length);
    const { start, end } = part;
    for (let first = 0; first < labels.length; first += rowsAtOnce) {
      const own = labels.subarray(first, first + rowsAtOnce);
      const within = own.map((label) => label >= start && label < end ? label - start : 0);
      feeds[headValues.labels] = parts.integers(within, own.length, 1);
      hidden.forEach((all, index) => {
        const rows = all.subarray(first * inputs, (first + own.length) * inputs);
        feeds[headValues.hidden(index)] = parts.floats(rows, own.length, inputs);
      });
      const results = await session.run(feeds, session.outputNames);
      own.forEach((_, row) => addPart(partial[first + row]!, row, results, part, own));
    }
    advance();
  }
  const scores = allocateScores(labels.length, models.length > 1);
  partial.forEach((score, row) => finishScore(scores, row, score));
  return scores;
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
