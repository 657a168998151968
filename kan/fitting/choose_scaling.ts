import { isError, type Loss } from "../engine/losses.ts";
import type { DataSet } from "../engine/objective.ts";
import { evaluateKan } from "../engine/evaluate.ts";
import type { KanModel } from "../model/model.ts";
import type { ColumnScale, Scaling } from "../model/scaling.ts";
import type { Samples } from "../numeric/least_squares.ts";

/** Inputs are left alone up to this size, outputs up to its square. */
const MOST_INPUT = 10;
const MOST_OUTPUT = MOST_INPUT ** 2;
/** Columns that vary less than this are stretched. */
const LEAST_RANGE = 1e-2;
/** A model that explains this share of the targets' variance already is not new to the data. */
const KNOWN_SHARE = 0.5;

const UNSCALED: ColumnScale = { center: 0, spread: 1 };

/**
 * The scaling that raw columns need, or undefined if they need none: the model has one, has been
 * trained on such data already, or the numbers are of a size that networks work well with.
 *
 * Inputs beyond 10, or which vary by less than .01, go to [-1, 1]; targets of a loss of differences
 * beyond 100, or which vary by less than .01, to mean 0 and deviation 1. Other columns stay as they
 * are.
 */
export function chooseScaling(model: KanModel, data: DataSet, loss: Loss): Scaling | undefined {
  if (model.scaling !== undefined) return undefined;
  const inputs = columnsOf(data.inputs).map((column, i) => scaleInput(model, i, column));
  const isMeasured = isError(loss);
  const outputs = columnsOf(data.targets).map((column) =>
    isMeasured ? scaleOutput(column) : UNSCALED
  );
  if ([...inputs, ...outputs].every((column) => column === UNSCALED)) return undefined;
  return isMeasured && explainedShare(model, data) > KNOWN_SHARE ? undefined : { inputs, outputs };
}

interface Column {
  readonly lowest: number;
  readonly highest: number;
  readonly mean: number;
  readonly deviation: number;
}

function columnsOf({ rows, columns, data }: Samples): Column[] {
  return Array.from({ length: columns }, (_, c) => {
    let lowest = Infinity, highest = -Infinity, mean = 0, squares = 0;
    for (let row = 0; row < rows; row++) {
      const value = data[row * columns + c]!;
      lowest = Math.min(lowest, value);
      highest = Math.max(highest, value);
      mean += value / rows;
    }
    for (let row = 0; row < rows; row++) squares += (data[row * columns + c]! - mean) ** 2 / rows;
    return { lowest, highest, mean, deviation: Math.sqrt(squares) };
  });
}

function scaleInput(model: KanModel, input: number, column: Column): ColumnScale {
  const { lowest, highest } = column;
  if (isWorkable(column, MOST_INPUT)) return UNSCALED;
  // Grids that lie where the samples are have been moved there, or put there on purpose.
  const { bases } = model.layers[0]!;
  const [start, end] = bases[bases.length === 1 ? 0 : input]!.domain;
  const width = end - start, range = highest - lowest;
  const isReached = lowest >= start - width && highest <= end + width && width <= 100 * range;
  if (isReached && Number.isFinite(width)) return UNSCALED;
  return { center: (lowest + highest) / 2, spread: range / 2 };
}

function scaleOutput(column: Column): ColumnScale {
  if (isWorkable(column, MOST_OUTPUT)) return UNSCALED;
  return { center: column.mean, spread: column.deviation };
}

/** Whether a column can stay as it is; one that does not vary tells nothing of a good scale. */
function isWorkable({ lowest, highest, deviation }: Column, most: number): boolean {
  const range = highest - lowest, size = Math.max(Math.abs(lowest), Math.abs(highest));
  const canBeScaled = Number.isFinite(range) && range > size * 1e-9 && deviation > 0 &&
    Number.isFinite(deviation);
  return !canBeScaled || (size <= most && range >= LEAST_RANGE);
}

/** Share of the variance of the targets that the model explains; not above 0 if it knows nothing. */
function explainedShare(model: KanModel, data: DataSet): number {
  const outputs = evaluateKan(model, data.inputs).data, { data: targets } = data.targets;
  const columns = columnsOf(data.targets);
  let error = 0, variance = 0;
  targets.forEach((target, at) => {
    error += (outputs[at]! - target) ** 2;
    variance += (columns[at % columns.length]!.mean - target) ** 2;
  });
  const share = 1 - error / variance;
  return Number.isNaN(share) ? -Infinity : share;
}
