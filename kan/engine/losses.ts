import { requireOneOf, requireSamples } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/**
 * - `"mse"`: the mean of squared errors over samples and outputs.
 * - `"mae"`: the mean of absolute errors over samples and outputs.
 * - `"crossEntropy"`: the mean over samples of -sum target log softmax(output), in nats; targets are
 *   shares of at least two classes.
 * - `"binaryCrossEntropy"`: the mean over samples and outputs of -t log p - (1 - t) log(1 - p), in
 *   nats, where p = 1 / (1 + exp(-output)); targets are 0, 1 or between. One output tells two classes
 *   apart.
 * - A function of one's own: the loss of one sample, of which training lowers the mean, or that and
 *   its derivatives with respect to the outputs, which else are central differences. Its targets may
 *   be any that have a row for each sample.
 */
export type Loss =
  | "mse"
  | "mae"
  | "crossEntropy"
  | "binaryCrossEntropy"
  | ((output: Float64Array, target: Float64Array) => number)
  | {
    value(output: Float64Array, target: Float64Array): number;
    gradient?(output: Float64Array, target: Float64Array): ArrayLike<number>;
  };

type SampleLoss = Extract<Loss, { value: unknown }>;

/** Every loss that has a name. */
const NAMES: readonly string[] = ["mse", "mae", "crossEntropy", "binaryCrossEntropy"];
/** How far from 1 the shares of the classes may sum up, as float32 shares of many classes do. */
const SHARE_TOLERANCE = 1e-3;
/** Step of central differences, for outputs of size 1. */
const DIFFERENCE = 1e-5;

/** Whether the loss is a difference of outputs and targets, in their units. */
export function isError(loss: Loss): boolean {
  return loss === "mse" || loss === "mae";
}

/** The loss and its gradient with respect to the outputs. */
export function evaluateLoss(
  loss: Loss,
  outputs: Float64Array,
  targets: Samples,
): { value: number; gradient: Float64Array } {
  switch (loss) {
    case "mse":
      return meanOf(outputs, targets, (output, target) => {
        const error = output - target;
        return [error * error, 2 * error];
      });
    case "mae":
      return meanOf(outputs, targets, (output, target) => {
        const error = output - target;
        return [Math.abs(error), Math.sign(error)];
      });
    case "binaryCrossEntropy":
      return meanOf(outputs, targets, (output, target) => {
        // log(1 + exp(x)) without overflow.
        const soft = Math.max(output, 0) + Math.log1p(Math.exp(-Math.abs(output)));
        return [soft - target * output, 1 / (1 + Math.exp(-output)) - target];
      });
    case "crossEntropy":
      return crossEntropy(outputs, targets);
    default:
      return ownLoss(typeof loss === "function" ? { value: loss } : loss, outputs, targets);
  }
}

/** The mean over all values of a loss that `of` gives with its slope. */
function meanOf(
  outputs: Float64Array,
  targets: Samples,
  of: (output: number, target: number) => readonly [number, number],
): { value: number; gradient: Float64Array } {
  const gradient = new Float64Array(outputs.length);
  let value = 0;
  for (let at = 0; at < outputs.length; at++) {
    const [loss, slope] = of(outputs[at]!, targets.data[at]!);
    value += loss / outputs.length;
    gradient[at] = slope / outputs.length;
  }
  return { value, gradient };
}

function crossEntropy(
  outputs: Float64Array,
  { rows, columns, data }: Samples,
): { value: number; gradient: Float64Array } {
  const gradient = new Float64Array(outputs.length);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const logits = outputs.subarray(start, start + columns);
    const highest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0);
    for (let c = 0; c < columns; c++) {
      const target = data[start + c]!;
      const logShare = logits[c]! - highest - Math.log(total);
      value -= target * logShare / rows;
      gradient[start + c] = (Math.exp(logShare) - target) / rows;
    }
  }
  return { value, gradient };
}

function ownLoss(
  loss: SampleLoss,
  outputs: Float64Array,
  { rows, columns, data }: Samples,
): { value: number; gradient: Float64Array } {
  const width = outputs.length / rows;
  const gradient = new Float64Array(outputs.length);
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const output = outputs.slice(row * width, (row + 1) * width);
    const target = data.slice(row * columns, (row + 1) * columns);
    value += loss.value(output, target) / rows;
    const slopes = loss.gradient?.(output, target) ??
      differences((moved) => loss.value(moved, target), output);
    for (let o = 0; o < width; o++) gradient[row * width + o] = slopes[o]! / rows;
  }
  return { value, gradient };
}

/** The partial derivatives of f by central differences. */
export function differences(f: (point: Float64Array) => number, point: Float64Array): Float64Array {
  return point.map((value, at) => {
    const step = DIFFERENCE * Math.max(1, Math.abs(value));
    return (f(point.with(at, value + step)) - f(point.with(at, value - step))) / (2 * step);
  });
}

/** Throws a RangeError unless `loss` is one. */
export function requireLoss(loss: Loss): void {
  if (typeof loss === "string") requireOneOf("loss", loss, NAMES);
  else if (typeof loss !== "function" && typeof loss?.value !== "function") {
    throw new RangeError(`loss must be one of ${NAMES.join(", ")}, or a function`);
  }
}

/**
 * Throws a RangeError unless there are finite targets that the loss can be taken of, for `rows`
 * samples of `outputs` outputs. `what` names the data.
 */
export function requireTargets(
  loss: Loss,
  targets: Samples,
  rows: number,
  outputs: number,
  what = "",
): void {
  requireSamples(`${what}targets`, targets);
  const isNamed = typeof loss === "string";
  if (targets.rows !== rows || (isNamed && targets.columns !== outputs)) {
    throw new RangeError(
      `the model has ${outputs} outputs for ${rows} samples, ` +
        `the ${what}targets are ${targets.rows} by ${targets.columns}`,
    );
  }
  if (loss === "crossEntropy") requireShares(targets, `${what}targets`);
  if (loss === "binaryCrossEntropy") {
    const at = targets.data.findIndex((target) => target < 0 || target > 1);
    if (at >= 0) {
      throw new RangeError(
        `row ${Math.floor(at / targets.columns)} of the ${what}targets is ${targets.data[at]}; ` +
          "binaryCrossEntropy needs targets from 0 to 1",
      );
    }
  }
}

function requireShares({ rows, columns, data }: Samples, name: string): void {
  if (columns < 2) {
    throw new RangeError(
      `crossEntropy needs a column of the ${name} for each class, at least 2, got ${columns}; ` +
        "binaryCrossEntropy takes one",
    );
  }
  for (let row = 0; row < rows; row++) {
    const shares = data.subarray(row * columns, (row + 1) * columns);
    const sum = shares.reduce((total, share) => total + share, 0);
    if (Math.abs(sum - 1) > SHARE_TOLERANCE || shares.some((share) => share < 0)) {
      throw new RangeError(`row ${row} of the ${name} are not shares that sum to 1: [${shares}]`);
    }
  }
}
