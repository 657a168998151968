import { InputError } from "../../data/input_error.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import { launchChromium, mayRunChromium } from "./chromium.ts";
import type { Figure } from "./figure.ts";
import { figurePage } from "./figure_page.ts";
import { MADE_BY, markPng, markSvg } from "./made_by.ts";
import { PICTURE_SCALE, renderPng } from "./static_picture.ts";
import { renderSvg } from "./svg/render_svg.ts";

/** What draws pictures: plotly in Chromium, or this project's own smaller renderer. */
export type PictureRenderer = "chromium" | "builtin";

/** How pictures are made. */
export interface PictureOptions {
  /** If absent, Chromium where it is installed, Deno may run it and it starts. */
  readonly renderer?: PictureRenderer;
  /** Pixels of a PNG for each pixel of the figure's size; 1.5 if absent, sharp on fine screens. */
  readonly scale?: number;
}

/**
 * A figure as an SVG document.
 *
 * ```ts
 * import { figureToSvg, rateDistortionFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = rateDistortionFigure([{ method: "scalar", rate: 2, distortion: 0.0887 }]);
 * assert.match(await figureToSvg(figure, { renderer: "builtin" }), /^<svg/);
 * ```
 */
export async function figureToSvg(
  figure: Figure,
  { renderer }: PictureOptions = {},
): Promise<string> {
  return await draw(
    renderer,
    () => Promise.resolve(renderSvg(figure)),
    async () => new TextDecoder().decode(await drawInChromium(figure, "svg")),
  );
}

/**
 * A figure as a PNG picture.
 *
 * ```ts
 * import { figureToPng, rateDistortionFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = rateDistortionFigure([{ method: "scalar", rate: 2, distortion: 0.0887 }]);
 * const png = await figureToPng(figure, { renderer: "builtin" });
 * assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
 * ```
 */
export async function figureToPng(
  figure: Figure,
  { renderer, scale = PICTURE_SCALE }: PictureOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await draw(
    renderer,
    () => renderPng(figure, scale),
    () => drawInChromium(figure, "png", scale),
  );
}

/**
 * Writes a figure as a picture (`.png`, `.svg`), as a page that needs nothing else (`.html`), or as
 * plotly's JSON (`.json`), by the name's ending. Throws {@linkcode InputError} for another ending or
 * where the file cannot be written.
 *
 * ```ts
 * import { rateDistortionFigure, writeFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 * import { mkdtemp, readFile, rm } from "node:fs/promises";
 *
 * const folder = await mkdtemp("figure-");
 * const figure = rateDistortionFigure([{ method: "scalar", rate: 2, distortion: 0.0887 }]);
 * await writeFigure(`${folder}/plot.svg`, figure, { renderer: "builtin" });
 * assert.match(await readFile(`${folder}/plot.svg`, "utf8"), /scalar/);
 * await rm(folder, { recursive: true });
 * ```
 */
export async function writeFigure(
  path: string,
  figure: Figure,
  options: PictureOptions = {},
): Promise<void> {
  checkFigurePath(path);
  const encode = async () => {
    if (path.endsWith(".png")) return markPng(await figureToPng(figure, options));
    if (path.endsWith(".svg")) return markSvg(await figureToSvg(figure, options));
    if (path.endsWith(".html")) return await figurePage(figure);
    return JSON.stringify({ comment: MADE_BY, ...figure });
  };
  const content = await encode();
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeFileAtomically(path, [bytes]);
}

/** Throws {@linkcode InputError} unless {@linkcode writeFigure} knows the ending of the name. */
export function checkFigurePath(path: string): void {
  if (/\.(png|svg|html|json)$/.test(path)) return;
  throw new InputError(`${path}: a plot ends in .png, .svg, .html or .json`);
}

/** The picture of the renderer that is asked for, or of the one that can be had. */
async function draw<T>(
  renderer: PictureRenderer | undefined,
  builtin: () => Promise<T>,
  chromium: () => Promise<T>,
): Promise<T> {
  if (renderer === "builtin" || renderer === undefined && !mayRunChromium()) return await builtin();
  try {
    return await chromium();
  } catch (error) {
    if (renderer === "chromium") throw error;
    return await builtin();
  }
}

/** Plotly's own picture; only a browser can lay out its texts. */
async function drawInChromium(
  figure: Figure,
  format: "png" | "svg",
  scale = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.setContent(await figurePage(figure));
    const { width = 820, height = 500 } = figure.layout as { width?: number; height?: number };
    const options = { format, width, height, scale };
    const url = await page.evaluate<string>(
      `Plotly.toImage(document.getElementById("figure"), ${JSON.stringify(options)})`,
    );
    return new Uint8Array(await (await fetch(url)).arrayBuffer());
  } finally {
    await browser.close();
  }
}
