import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { renderSvg } from "./svg/render_svg.ts";

/** Pixels of a picture for each pixel of a figure's size: sharp on fine screens. */
export const PICTURE_SCALE = 1.5;

/**
 * A figure as a PNG picture, drawn without a browser.
 *
 * Texts are in DejaVu Sans, which travels with the project, so that pictures are the same everywhere.
 */
export async function renderPng(
  figure: Figure,
  scale: number = PICTURE_SCALE,
): Promise<Uint8Array<ArrayBuffer>> {
  const { Resvg, font } = await loadRenderer();
  const picture = new Resvg(renderSvg(figure), {
    fitTo: { mode: "zoom", value: scale },
    font: { fontBuffers: [font], defaultFontFamily: "DejaVu Sans", sansSerifFamily: "DejaVu Sans" },
  }).render();
  const png = new Uint8Array(picture.asPng());
  picture.free();
  return png;
}

/** What draws, and the letters it draws with. */
interface Renderer {
  readonly Resvg: typeof import("@resvg/resvg-wasm").Resvg;
  readonly font: Uint8Array;
}

let renderer: Promise<Renderer> | undefined;

/** Starts the renderer once. */
function loadRenderer(): Promise<Renderer> {
  renderer ??= (async () => {
    const { initWasm, Resvg } = await import("@resvg/resvg-wasm");
    await initWasm(await readPackaged("@resvg/resvg-wasm/index_bg.wasm"));
    // Puts the package into the module graph, without which its files have no path.
    await import("dejavu-fonts-ttf/package.json", { with: { type: "json" } });
    return { Resvg, font: await readPackaged("dejavu-fonts-ttf/ttf/DejaVuSans.ttf") };
  })();
  return renderer;
}

/** A file of a dependency, of which some module has been imported. */
export async function readPackaged(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(fileURLToPath(import.meta.resolve(path))));
}
