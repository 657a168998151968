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
