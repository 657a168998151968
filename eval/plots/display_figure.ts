import { toBase64 } from "../../data/base64.ts";

import type { Figure } from "./figure.ts";
import { figureToPng, type PictureOptions } from "./export_figure.ts";

/** What Jupyter's Deno kernel shows as the value of a cell. */
export interface Displayable {
  /** Gives the representations by MIME type. */
  [key: symbol]: () => Promise<Readonly<Record<string, unknown>>>;
}

/**
 * A figure for a notebook: a picture that shows everywhere, and plotly's JSON for front ends that
 * can draw it themselves. To be the last value of a cell.
 *
 * ```ts
 * import { displayFigure, rateDistortionFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = rateDistortionFigure([{ method: "scalar", rate: 2, distortion: 0.0887 }]);
 * const shown = displayFigure(figure, { renderer: "builtin" });
 * const bundle = await shown[Symbol.for("Jupyter.display")]!();
 * assert.deepEqual(Object.keys(bundle), ["image/png", "application/vnd.plotly.v1+json"]);
 * ```
 */
export function displayFigure(figure: Figure, options: PictureOptions = {}): Displayable {
  return {
    [Symbol.for("Jupyter.display")]: async () => ({
      // As wide as the figure: front ends crop pictures that are wider than its plotly form.
      "image/png": toBase64(await figureToPng(figure, { scale: 1, ...options })),
      "application/vnd.plotly.v1+json": figure,
    }),
  };
}
