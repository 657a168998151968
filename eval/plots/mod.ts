/**
 * Figures of compression, evaluations and Kolmogorov-Arnold networks, for Plotly, and pictures of
 * them as SVG, PNG or HTML.
 *
 * ```ts
 * import { figureToSvg, tradeOffFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const points = [
 *   { method: "rate", bitsPerWeight: 4, value: 0.001 },
 *   { method: "rate", bitsPerWeight: 3, value: 0.004 },
 * ];
 * const figure = tradeOffFigure(points, { measure: "klDivergence" });
 * assert.match(await figureToSvg(figure, { renderer: "builtin" }), /^<svg/); // needs no browser
 * ```
 *
 * @module
 */
export type { PlotlyFigure } from "../../kan/plots/drawing.ts";
export { edgeFigure, type EdgePlotOptions, plotEdge } from "../../kan/plots/edge.ts";
export { type Curve, edgeCurve } from "../../kan/plots/edge_curve.ts";
export { networkFigure, type NetworkPlotOptions, plotNetwork } from "../../kan/plots/network.ts";
export * from "./bars.ts";
export * from "./bits_per_layer.ts";
export * from "./display_figure.ts";
export * from "./error_spectrum.ts";
export {
  figureToPng,
  figureToSvg,
  type PictureOptions,
  type PictureRenderer,
  writeFigure,
} from "./export_figure.ts";
export type { Figure } from "./figure.ts";
export * from "./functions.ts";
export * from "./pareto.ts";
export * from "./rate_distortion.ts";
export * from "./singular_values.ts";
export * from "./trade_off.ts";
