import { InputError } from "../../data/input_error.ts";
import { errorBars, type Figure, layoutOf, REFERENCE_COLOR, seriesStyle } from "./figure.ts";
import { paretoFront } from "./pareto.ts";
import { greatest, least } from "../../data/extremes.ts";

/** A compressed model as a point: what it takes and what it has lost. */
export interface TradeOffPoint {
  /** What made it, such as `rate` or `gptq`; points of one method are one series. */
  readonly method: string;
  /** Bits of the whole file per parameter. */
  readonly bitsPerWeight: number;
  /** The measure: perplexity, or mean Kullback-Leibler divergence in nats per token. */
  readonly value: number;
  /** Standard error of the measure. */
  readonly standardError?: number;
}

/** What {@linkcode tradeOffFigure} shows beside the points. */
export interface TradeOffOptions {
  /** Which measure the points have. */
  readonly measure: "perplexity" | "klDivergence";
  /** Perplexity of the original, drawn as a line. */
  readonly original?: number;
  /** Title of the figure. */
  readonly title?: string;
}

const MEASURES = {
  perplexity: { title: "Size against perplexity", axis: "perplexity" },
  klDivergence: {
    title: "Size against divergence",
    axis: "mean KL divergence from the original (nats per token)",
  },
} as const;

/**
 * Size against quality: one series a method with error bars of one standard error, and the Pareto
 * front of all. The measure's axis is logarithmic. Throws {@linkcode InputError} if there is no
 * point, or a value that a logarithmic axis cannot show.
 *
 * ```ts
 * import { tradeOffFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const points = [
 *   { method: "rate", bitsPerWeight: 4, value: 0.01, standardError: 0.001 },
 *   { method: "rate", bitsPerWeight: 3, value: 0.04, standardError: 0.002 },
 * ];
 * const figure = tradeOffFigure(points, { measure: "klDivergence" });
 * assert.equal(figure.data.length, 2); // the Pareto front and one method
 * ```
 */
export function tradeOffFigure(
  points: readonly TradeOffPoint[],
  { measure, original, title }: TradeOffOptions,
): Figure {
  if (points.length === 0) throw new InputError("the figure has no points; measure some first");
  for (const { method, value, bitsPerWeight } of points) {
    if (value > 0 && Number.isFinite(value) && Number.isFinite(bitsPerWeight)) continue;
    throw new InputError(`${method} at ${bitsPerWeight} bits: ${measure} ${value} cannot be drawn`);
  }
  const { title: usual, axis } = MEASURES[measure];
  const methods = [...new Set(points.map(({ method }) => method))];
  const series = methods.map((method, index) =>
    seriesOf(method, points.filter((point) => point.method === method), index, measure)
  );
  const reference = original === undefined ? [] : [originalTrace(points, original)];
  return {
    data: [...frontTrace(points), ...reference, ...series],
    layout: layoutOf(
      title ?? usual,
      { title: "bits per weight (whole file)" },
      {
        title: axis,
        logValues: points.flatMap((
          { value, standardError = 0 },
        ) => [value + standardError, Math.max(value - standardError, value / 2)]),
      },
    ),
  };
}

function seriesOf(
  method: string,
  points: readonly TradeOffPoint[],
  index: number,
  measure: string,
): Record<string, unknown> {
  const sorted = points.toSorted((a, b) => a.bitsPerWeight - b.bitsPerWeight);
  const { color, symbol, dash } = seriesStyle(index);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: method,
    x: sorted.map(({ bitsPerWeight }) => bitsPerWeight),
    y: sorted.map(({ value }) => value),
    ...errorBars(sorted.map(({ standardError }) => standardError)),
    line: { color, dash, width: 1.5 },
    marker: { color, symbol, size: 9 },
    hovertemplate: `${method}: %{x:.3f} bits per weight, ${measure} %{y:.5g}<extra></extra>`,
  };
}

/** The front as a broad line behind the points; none where a single point beats all others. */
function frontTrace(points: readonly TradeOffPoint[]): Record<string, unknown>[] {
  const coordinates = points.map(({ bitsPerWeight, value }) => ({ x: bitsPerWeight, y: value }));
  const front = paretoFront(coordinates).map((i) => coordinates[i]!);
  if (front.length < 2) return [];
  return [{
    type: "scatter",
    mode: "lines",
    name: "Pareto front",
    x: front.map(({ x }) => x),
    y: front.map(({ y }) => y),
    line: { color: "#c8c8c8", width: 9, dash: "solid" },
    hoverinfo: "skip",
  }];
}

function originalTrace(
  points: readonly TradeOffPoint[],
  original: number,
): Record<string, unknown> {
  const bits = points.map(({ bitsPerWeight }) => bitsPerWeight);
  const pad = 0.02 * (greatest(bits) - least(bits)) || 0.5;
  return {
    type: "scatter",
    mode: "lines",
    name: "original",
    x: [least(bits) - pad, greatest(bits) + pad],
    y: [original, original],
    line: { color: REFERENCE_COLOR, width: 1.5, dash: "dash" },
    hovertemplate: `original: ${original.toPrecision(4)}<extra></extra>`,
  };
}
