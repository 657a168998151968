import { InputError } from "../../data/input_error.ts";
import { type Figure, layoutOf, REFERENCE_COLOR, seriesStyle } from "./figure.ts";
import { greatest } from "../../data/extremes.ts";

/** What one code makes of a source. */
export interface RateDistortionPoint {
  /** What coded it; points of one method are one series. */
  readonly method: string;
  /** Bits per value. */
  readonly rate: number;
  /** Squared error divided by the variance of the source, above 0. */
  readonly distortion: number;
}

/**
 * Rate against distortion, with the bound D(R) = 2^(-2R) that no code of independent Gaussian values
 * can pass (Shannon, 1959). Throws {@linkcode InputError} if there is no point, or if a
 * distortion is not above 0.
 *
 * ```ts
 * import { rateDistortionFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = rateDistortionFigure([{ method: "scalar", rate: 2, distortion: 0.0887 }]);
 * assert.deepEqual(figure.data.map(({ name }) => name), ["bound 2^(−2R)", "scalar"]);
 * ```
 */
export function rateDistortionFigure(
  points: readonly RateDistortionPoint[],
  title: string = "Rate against distortion",
): Figure {
  if (points.length === 0) throw new InputError("the figure has no points; measure some first");
  for (const { method, rate, distortion } of points) {
    if (distortion > 0 && rate >= 0 && Number.isFinite(rate + distortion)) continue;
    throw new InputError(`${method}: distortion ${distortion} at ${rate} bits cannot be drawn`);
  }
  const methods = [...new Set(points.map(({ method }) => method))];
  const last = 1.05 * greatest(points.map(({ rate }) => rate));
  const rates = Array.from({ length: 51 }, (_, i) => last * i / 50);
  const bound = {
    type: "scatter",
    mode: "lines",
    name: "bound 2^(−2R)",
    x: rates,
    y: rates.map((rate) => 2 ** (-2 * rate)),
    line: { color: REFERENCE_COLOR, width: 2, dash: "solid" },
  };
  const series = methods.map((method, index) => {
    const own = points.filter((point) => point.method === method)
      .toSorted((a, b) => a.rate - b.rate);
    const { color, symbol, dash } = seriesStyle(index);
    return {
      type: "scatter",
      mode: "lines+markers",
      name: method,
      x: own.map(({ rate }) => rate),
      y: own.map(({ distortion }) => distortion),
      line: { color, dash, width: 1.5 },
      marker: { color, symbol, size: 9 },
    };
  });
  return {
    data: [bound, ...series],
    layout: layoutOf(title, { title: "rate (bits per value)" }, {
      title: "squared error / variance",
      logValues: [...series.flatMap(({ y }) => y), ...bound.y],
    }),
  };
}
