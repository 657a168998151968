import { InputError } from "../../data/input_error.ts";
import { barFill, type Figure, layoutOf } from "./figure.ts";

/** Bars of one kind, a value for each category. */
export interface BarSeries {
  /** What it is called in the legend. */
  readonly name: string;
  /** A value for each category. */
  readonly values: readonly number[];
}

/** Texts of {@linkcode barsFigure}. */
export interface BarsOptions {
  /** Title of the figure. */
  readonly title: string;
  /** What the categories are. */
  readonly xTitle: string;
  /** What the bars measure, with the unit. */
  readonly yTitle: string;
  /** Bars of one category on top of each other instead of side by side. */
  readonly stacked?: boolean;
}

/**
 * Values by category as bars, such as bits per weight by level. Throws {@linkcode InputError} if
 * a series has not one value a category.
 *
 * ```ts
 * import { barsFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = barsFigure(["field", "trellis"], [{ name: "bits", values: [0.02, 3.9] }], {
 *   title: "Where the bits go",
 *   xTitle: "level",
 *   yTitle: "bits per weight",
 * });
 * assert.equal(figure.data.length, 1);
 * ```
 */
export function barsFigure(
  categories: readonly string[],
  series: readonly BarSeries[],
  { title, xTitle, yTitle, stacked = false }: BarsOptions,
): Figure {
  if (series.length === 0) throw new InputError("the figure has no bars; name some");
  const data = series.map(({ name, values }, index) => {
    if (values.length !== categories.length || categories.length === 0) {
      throw new InputError(
        `bars ${name}: ${values.length} values, ${categories.length} categories`,
      );
    }
    return {
      type: "bar",
      name,
      x: [...categories],
      y: [...values],
      marker: { color: barFill(index) },
    };
  });
  const layout = layoutOf(title, { title: xTitle }, { title: yTitle });
  const xaxis = { ...layout["xaxis"] as object, type: "category" };
  const barmode = stacked ? "stack" : "group";
  return { data, layout: { ...layout, xaxis, barmode, showlegend: series.length > 1 } };
}
