import { InputError } from "../../data/input_error.ts";
import { DASH_COUNT, type Figure, layoutOf, seriesStyle } from "./figure.ts";

/** A function of one variable as points. */
export interface FunctionCurve {
  /** What it is called in the legend. */
  readonly name: string;
  /** Ascending. */
  readonly x: ArrayLike<number>;
  /** As many values. */
  readonly y: ArrayLike<number>;
}

/** About how many markers a curve has, however many points. */
const MARKERS = 20;

/** Texts of {@linkcode functionsFigure}. */
export interface FunctionsOptions {
  /** Title of the figure. */
  readonly title: string;
  /** What the functions are of. */
  readonly xTitle: string;
  /** What they give. */
  readonly yTitle: string;
}

/**
 * Learned functions of one variable as curves in one figure; with markers too where they are more
 * than dashes can tell apart. Throws {@linkcode InputError} if there is no curve, or one without
 * points.
 *
 * ```ts
 * import { functionsFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const x = [0, 1, 2];
 * const figure = functionsFigure([{ name: "square", x, y: x.map((v) => v * v) }], {
 *   title: "A learned function",
 *   xTitle: "row",
 *   yTitle: "log2 of the step",
 * });
 * assert.equal(figure.data.length, 1);
 * ```
 */
export function functionsFigure(
  curves: readonly FunctionCurve[],
  { title, xTitle, yTitle }: FunctionsOptions,
): Figure {
  if (curves.length === 0) throw new InputError("the figure has no curves; name some");
  const data = curves.map(({ name, x, y }, index) => {
    if (x.length === 0 || x.length !== y.length) {
      throw new InputError(`curve ${name}: has ${x.length} arguments and ${y.length} values`);
    }
    const { color, dash, symbol } = seriesStyle(index);
    const marker = { color, symbol, size: 7, maxdisplayed: MARKERS };
    return {
      type: "scatter",
      mode: curves.length > DASH_COUNT ? "lines+markers" : "lines",
      name,
      x: Array.from(x),
      y: Array.from(y),
      line: { color, dash, width: 1.8 },
      ...(curves.length > DASH_COUNT && { marker }),
    };
  });
  const layout = layoutOf(title, { title: xTitle }, { title: yTitle });
  return { data, layout: { ...layout, showlegend: curves.length > 1 } };
}
