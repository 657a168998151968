import { requireInteger, requireNumber } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/**
 * The raw columns that a model takes and gives. Its layers see (value - center) / spread and compute
 * such values, which networks work well with; evaluation, formulas, plots and files convert. The
 * center becomes 0, and what lies a spread, above 0, from it becomes 1.
 */
export interface Scaling {
  /** One for each input of the model. */
  readonly inputs: readonly { readonly center: number; readonly spread: number }[];
  /** One for each output. */
  readonly outputs: readonly { readonly center: number; readonly spread: number }[];
}

/** The scale of one column. */
export type ColumnScale = Scaling["inputs"][number];

/** Throws a RangeError unless there is a sound scale for every input and output. */
export function requireScaling(scaling: Scaling, inputs: number, outputs: number): void {
  for (
    const [name, columns, count] of [
      ["inputs", scaling.inputs, inputs],
      ["outputs", scaling.outputs, outputs],
    ] as const
  ) {
    if (!Array.isArray(columns)) throw new RangeError(`scaling.${name} must be a list`);
    requireInteger(`the number of scaling.${name}`, columns.length, count, count);
    columns.forEach(({ center, spread }, at) => {
      requireNumber(`the center of scaling.${name}[${at}]`, center);
      requireNumber(`the spread of scaling.${name}[${at}]`, spread, { above: 0 });
    });
  }
}

/** Raw values, row by row, as the layers see them; the same array if nothing is to be scaled. */
export function toScaled(
  data: Float64Array,
  columns: readonly ColumnScale[] | undefined,
): Float64Array {
  if (columns === undefined) return data;
  return data.map((value, at) => {
    const { center, spread } = columns[at % columns.length]!;
    return (value - center) / spread;
  });
}

/** What layers compute, row by row, as raw values; the same array if nothing is scaled. */
export function toRaw(
  data: Float64Array,
  columns: readonly ColumnScale[] | undefined,
): Float64Array {
  if (columns === undefined) return data;
  return data.map((value, at) => {
    const { center, spread } = columns[at % columns.length]!;
    return center + spread * value;
  });
}

/** {@link toScaled} of samples. */
export function scaleSamples(
  samples: Samples,
  columns: readonly ColumnScale[] | undefined,
): Samples {
  return columns === undefined ? samples : { ...samples, data: toScaled(samples.data, columns) };
}
