import type { PlotlyFigure } from "../../kan/plots/drawing.ts";
import { createScale } from "./svg/scale.ts";

/** A plotly figure: plain JSON. */
export type Figure = PlotlyFigure;

/** How one series differs from the others: by colour, and in grey by shape and dash too. */
export interface SeriesStyle {
  /** A CSS colour of Okabe and Ito's palette, which colour-blind readers can tell apart. */
  readonly color: string;
  /** Plotly's name of the marker's shape. */
  readonly symbol: string;
  /** Plotly's name of the line's dash. */
  readonly dash: string;
}

/** Okabe and Ito (2008), darkest first, without black and without the yellow that white hides. */
const COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#595959"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];

/** How many series of lines can be told apart by their dashes alone. */
export const DASH_COUNT: number = DASHES.length;

/** The style of the series with a number from 0; the same number looks the same in all figures. */
export function seriesStyle(index: number): SeriesStyle {
  const round = Math.floor(index / COLORS.length);
  return {
    color: COLORS[(index + 3 * round) % COLORS.length]!,
    symbol: SYMBOLS[index % SYMBOLS.length]!,
    dash: DASHES[index % DASHES.length]!,
  };
}

/** Colour of bounds, fronts and originals, which are not series. */
export const REFERENCE_COLOR = "#333333";

/** One axis of a figure. */
export interface Axis {
  /** What it shows, with its unit. */
  readonly title: string;
  /** The values on a logarithmic axis; absent on a linear one. */
  readonly logValues?: readonly number[];
  /** Ends of the axis, exponents of 10 where it is logarithmic; chosen by the data if omitted. */
  readonly range?: readonly [number, number];
  /** Distance of its ticks; chosen if omitted. */
  readonly tickStep?: number;
}

/** Fills of bars: neighbours are dark and light in turn, so that they differ in grey too. */
const FILLS = ["#0072B2", "#E69F00", "#333333", "#56B4E9", "#8C3D00", "#CCCCCC"];

/** The fill of the bars with a number from 0. */
export function barFill(index: number): string {
  return FILLS[index % FILLS.length]!;
}

/** The layout that all figures share. */
export function layoutOf(title: string, x: Axis, y: Axis): Record<string, unknown> {
  return {
    title: { text: title, font: { size: 17 } },
    width: 820,
    height: 500,
    font: { family: "DejaVu Sans, Verdana, sans-serif", size: 13, color: "#1b1f24" },
    paper_bgcolor: "white",
    plot_bgcolor: "white",
    margin: { l: 80, r: 20, t: 56, b: 72 },
    xaxis: axisOf(x),
    yaxis: axisOf(y),
    legend: { x: 1.02, y: 1, xanchor: "left", yanchor: "top", traceorder: "normal" },
    hovermode: "closest",
  };
}

function axisOf({ title, logValues, range, tickStep }: Axis): Record<string, unknown> {
  return {
    title: { text: title, font: { size: 14 }, standoff: 12 },
    type: logValues === undefined ? "linear" : "log",
    showline: true,
    linecolor: "#595959",
    ticks: "outside",
    gridcolor: "#dddddd",
    zeroline: false,
    automargin: true,
    ...(logValues === undefined ? {} : logTicks(logValues)),
    ...(range === undefined ? {} : { range }),
    ...(tickStep === undefined ? {} : { dtick: tickStep }),
  };
}

/** Whole numbers at the ticks, where plotly would write single digits between powers of ten. */
function logTicks(values: readonly number[]): Record<string, unknown> {
  const { ticks } = createScale(values, { type: "log" });
  return {
    tickmode: "array",
    tickvals: ticks.map(({ value }) => value),
    ticktext: ticks.map(({ label }) => label),
  };
}

/** Error bars of a trace, one standard error to each side. */
export function errorBars(
  errors: readonly (number | undefined)[],
): Readonly<Record<string, unknown>> {
  if (errors.every((error) => error === undefined)) return {};
  const array = errors.map((error) => error ?? 0);
  return { error_y: { type: "data", array, visible: true, thickness: 1.2, width: 4 } };
}
