import { headValues, lossGraph, runLength } from "./head_graphs.ts";
import { headFeeds, headSettings, scoreSession, sumOfRow } from "./head_feeds.ts";
import { type HeadPart, headParts } from "./head_parts.ts";
import type { NativeModel } from "./native_model.ts";
import type { NativeResults } from "./part_runner.ts";

/** The head's part of a backward pass whose labels are drawn from the model itself. */
export interface SampledLoss {
  /** Gradient of the summed negative log-likelihoods by the finished rows, `[rows, hiddenSize]`. */
  readonly hiddenGradient: Float32Array;
  /** Σ p (1 - p), times squared slopes of logits by the head's product, for each row. */
  readonly energies: Float32Array;
}

/**
 * Draws a label for each finished row by a number of `draws`, 2^32 times one from 0 to 1, and
 * differentiates the loss. Adds each logit's Σ p (1 - p), times squared slopes, to `logitFisher`.
 */
export async function sampledLoss(
  model: NativeModel,
  hidden: Float32Array,
  draws: Uint32Array,
  logitFisher: Float64Array,
): Promise<SampledLoss> {
  const { description: { head, hiddenSize }, parts } = model;
  const rows = draws.length;
  const settings = headSettings(model.description);
  const logSums = await logSumsOf(model, hidden, rows);
  const hiddenGradient = new Float32Array(rows * hiddenSize);
  const energies = new Float32Array(rows);
  const runsOfParts: Float32Array[] = [];
  const shared = {
    [headValues.hidden(0)]: parts.floats(hidden, rows, hiddenSize),
    [headValues.logSum]: parts.floats(Float32Array.from(logSums), rows, 1),
  };
  for (const part of headParts(model.description)) {
    const width = part.end - part.start;
    const session = await parts.sessions.get(
      `loss ${width} ${JSON.stringify(settings)}`,
      () => lossGraph(width, settings),
    );
    const feeds = { ...shared, ...await headFeeds(model, part, 0) };
    const results = await session.run(feeds, session.outputNames);
    const values = (name: string) => results[name]!.data as Float32Array;
    const product = values(headValues.product);
    for (let at = 0; at < product.length; at++) hiddenGradient[at]! += product[at]!;
    values(headValues.energy).forEach((energy, row) => energies[row]! += energy);
    values(headValues.fisher).forEach((sum, at) => logitFisher[part.start + at]! += sum);
    runsOfParts.push(values(headValues.runs));
  }
  for (let row = 0; row < rows; row++) {
    const { label, slope } = drawLabel(model, {
      hidden: hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize),
      logSum: logSums[row]!,
      runs: runsOfParts.map((runs) =>
        runs.subarray(row * runs.length / rows, (row + 1) * runs.length / rows)
      ),
      share: draws[row]! / 2 ** 32,
    });
    const weights = parts.values(head.weight, label * hiddenSize, (label + 1) * hiddenSize);
    for (let i = 0; i < hiddenSize; i++) {
      hiddenGradient[row * hiddenSize + i]! -= slope * weights[i]!;
    }
  }
  return { hiddenGradient, energies };
}

/** log Σ exp of all logits of each row. */
export async function logSumsOf(
  model: NativeModel,
  hidden: Float32Array,
  rows: number,
): Promise<Float64Array> {
  const { description: { hiddenSize }, parts } = model;
  const { largest, sums: sumsOf, labels } = headValues;
  const given = {
    [headValues.hidden(0)]: parts.floats(hidden, rows, hiddenSize),
    [labels]: parts.integers(new Int32Array(rows), rows, 1),
  };
  const all = new LogSums(rows);
  for (const part of headParts(model.description)) {
    const feeds = { ...given, ...await headFeeds(model, part, 0) };
    const session = await scoreSession(model, part, 1);
    all.add(await session.run(feeds, [largest(0), sumsOf(0)]), 0);
  }
  return all.finish();
}

/** Adds up what parts of a head give to log Σ exp of all logits of each row. */
export class LogSums {
  readonly #highest: Float64Array;
  readonly #sums: Float64Array;

  /** No parts yet. */
  constructor(rows: number) {
    this.#highest = new Float64Array(rows).fill(-Infinity);
    this.#sums = new Float64Array(rows);
  }

  /** Adds the largest logits and the sums of exponentials of the graph's model of this number. */
  add(results: NativeResults, model: number): void {
    const [highest, sums] = [this.#highest, this.#sums];
    for (let row = 0; row < sums.length; row++) {
      const found = Number(results[headValues.largest(model)]!.data[row]);
      const higher = Math.max(highest[row]!, found);
      const sum = sumOfRow(results[headValues.sums(model)]!, row, sums.length);
      sums[row] = sums[row]! * Math.exp(highest[row]! - higher) + sum * Math.exp(found - higher);
      highest[row] = higher;
    }
  }

  /** The log of each row's sum. */
  finish(): Float64Array {
    return this.#sums.map((sum, row) => this.#highest[row]! + Math.log(sum));
  }
}

/** What a label is drawn from. */
interface Draw {
  /** What goes into the head's product. */
  readonly hidden: Float32Array;
  readonly logSum: number;
  /** Sums of probabilities over runs of outputs, part by part of the head. */
  readonly runs: readonly Float32Array[];
  /** From 0 to 1: how much of all probability is passed before the label. */
  readonly share: number;
}

/** A drawn label, and the slope of its logit by the head's product. */
interface DrawnLabel {
  readonly label: number;
  readonly slope: number;
}

/** Finds the run in which the share is passed, and then the label in it. */
function drawLabel(model: NativeModel, draw: Draw): DrawnLabel {
  const { hidden, logSum, runs, share } = draw;
  const { description: { head, logitScale = 1, logitSoftCap = Infinity }, parts } = model;
  const logitOf = (output: number) => {
    const from = output * hidden.length;
    const weights = parts.values(head.weight, from, from + hidden.length);
    let product = head.bias === undefined ? 0 : parts.values(head.bias, output, output + 1)[0]!;
    for (let i = 0; i < hidden.length; i++) product += hidden[i]! * weights[i]!;
    const scaled = logitScale * product;
    return logitSoftCap === Infinity ? scaled : logitSoftCap * Math.tanh(scaled / logitSoftCap);
  };
  const label = findLabel(
    headParts(model.description),
    runs,
    share,
    (output) => Math.exp(logitOf(output) - logSum),
  );
  return { label, slope: logitScale * (1 - (logitOf(label) / logitSoftCap) ** 2) };
}

/** The output at which so large a share of all probability has been passed. */
function findLabel(
  parts: readonly HeadPart[],
  runs: readonly Float32Array[],
  share: number,
  probability: (output: number) => number,
): number {
  let rest = 0;
  for (const ofPart of runs) for (const sum of ofPart) rest += sum;
  rest *= share;
  let last = 0;
  for (const [index, { start, end }] of parts.entries()) {
    for (const [run, sum] of runs[index]!.entries()) {
      const first = start + run * runLength;
      const next = Math.min(end, first + runLength);
      if (sum > 0) last = next - 1;
      if (rest >= sum) {
        rest -= sum;
        continue;
      }
      for (let output = first; output < next; output++) {
        rest -= probability(output);
        if (rest < 0) return output;
      }
      // Rounding left a rest: it goes to the last output of the run.
      return next - 1;
    }
  }
  return last;
}
