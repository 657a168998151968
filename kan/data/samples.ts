import type { DataSet } from "../engine/objective.ts";
import { requireInteger, requireNumber, requireRange, requireSamples } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { createRandom, type Random } from "../numeric/random.ts";

/** What {@link sampleFunction} draws. */
export interface SampleOptions {
  /** Lowest and highest value of each variable. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Number of samples, at least 1. */
  readonly rows: number;
  /** The source of random numbers. */
  readonly random: Random;
}

/**
 * Samples of a function of several variables, uniform within the ranges.
 *
 * @param f One value, or a list of values: the targets at a point.
 * @throws RangeError if an option is out of its range or a value is not finite.
 *
 * ```ts
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import { sampleFunction } from "@kanpress/kanpress/kan/data";
 * import assert from "node:assert";
 *
 * const data = sampleFunction(([x, y]) => x! * y!, {
 *   ranges: [[-1, 1], [0, 3]],
 *   rows: 50,
 *   random: createRandom(0),
 * });
 * assert.deepEqual([data.inputs.rows, data.targets.columns], [50, 1]);
 * ```
 */
export function sampleFunction(
  f: (point: readonly number[]) => number | readonly number[],
  { ranges, rows, random }: SampleOptions,
): DataSet {
  requireInteger("the number of ranges", ranges.length, 1);
  ranges.forEach((range, i) => requireRange(`ranges[${i}]`, range));
  requireInteger("rows", rows, 1);
  const points = Array.from({ length: rows }, () => {
    return ranges.map(([start, end]) => start + (end - start) * random.uniform());
  });
  const values = points.map((point) => {
    const value = f(point);
    return typeof value === "number" ? [value] : value;
  });
  const toSamples = (list: readonly (readonly number[])[]): Samples => {
    return { rows, columns: list[0]!.length, data: Float64Array.from(list.flat()) };
  };
  const targets = toSamples(values);
  requireSamples("values of the function", targets);
  return { inputs: toSamples(points), targets };
}

/** Data in two parts. */
export interface SplitData {
  /** To train with. */
  readonly train: DataSet;
  /** To test with, or to stop by. */
  readonly test: DataSet;
}

/**
 * The samples in two parts, drawn without repetition; a rounded share of them for tests, at least one
 * in each part.
 *
 * @param testShare Between 0 and 1; .2 if omitted.
 * @param random The source of random numbers; seed 0 if omitted.
 * @throws RangeError if there are fewer than 2 samples or the share is out of its range.
 *
 * ```ts
 * import { samplesFrom } from "@kanpress/kanpress/kan";
 * import { splitData } from "@kanpress/kanpress/kan/data";
 * import assert from "node:assert";
 *
 * const x = samplesFrom(Array.from({ length: 10 }, (_, i) => [i]));
 * const { train, test } = splitData({ inputs: x, targets: x });
 * assert.deepEqual([train.inputs.rows, test.inputs.rows], [8, 2]);
 * ```
 */
export function splitData(
  data: DataSet,
  testShare: number = 0.2,
  random: Random = createRandom(0),
): SplitData {
  requireSamples("inputs", data.inputs, 2);
  requireSamples("targets", data.targets);
  const { rows } = data.inputs;
  if (data.targets.rows !== rows) {
    throw new RangeError(`${rows} samples of inputs, ${data.targets.rows} of targets`);
  }
  requireNumber("testShare", testShare, { above: 0, most: 1 });
  const order = Array.from({ length: rows }, (_, row) => row);
  for (let i = rows - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const count = Math.min(Math.max(Math.round(testShare * rows), 1), rows - 1);
  const pick = (chosen: readonly number[]): DataSet => ({
    inputs: selectRows(data.inputs, chosen),
    targets: selectRows(data.targets, chosen),
  });
  return { test: pick(order.slice(0, count)), train: pick(order.slice(count)) };
}

function selectRows({ columns, data }: Samples, rows: readonly number[]): Samples {
  const picked = new Float64Array(rows.length * columns);
  rows.forEach((row, at) =>
    picked.set(data.subarray(row * columns, (row + 1) * columns), at * columns)
  );
  return { rows: rows.length, columns, data: picked };
}
