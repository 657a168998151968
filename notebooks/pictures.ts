/**
 * Draws the pictures of README.md and docs/notebooks.md from the outputs that the notebooks have in their files:
 * `deno task pictures`. `deno task notebooks --save` does it too.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { writeFileAtomically } from "../data/write_file.ts";
import type { Figure } from "../eval/plots/figure.ts";
import { figureToSvg } from "../eval/plots/export_figure.ts";

/** A picture, and the figure that it shows: its number, from 0, among those of a notebook. */
const PICTURES = [
  { file: "docs/size_and_divergence.svg", notebook: "2_size_and_quality.ipynb", figure: 0 },
  { file: "docs/bits_by_layer.svg", notebook: "1_quick_start.ipynb", figure: 0 },
];

interface Notebook {
  readonly cells: readonly {
    readonly outputs?: readonly { readonly data?: Readonly<Record<string, unknown>> }[];
  }[];
}

/** The pictures by their files' names, from the root of the project. */
export async function drawPictures(): Promise<Map<string, string>> {
  const pictures = new Map<string, string>();
  for (const { file, notebook, figure } of PICTURES) {
    const text = await readFile(new URL(notebook, import.meta.url), "utf8");
    const { cells } = JSON.parse(text) as Notebook;
    const figures = cells.flatMap(({ outputs = [] }) =>
      outputs.flatMap(({ data }) => data?.["application/vnd.plotly.v1+json"] as Figure ?? [])
    );
    if (figures[figure] === undefined) {
      throw new Error(`${notebook}: has no figure ${figure + 1}; run deno task notebooks --save`);
    }
    // Without a browser, so that everybody draws the same.
    pictures.set(file, await figureToSvg(figures[figure], { renderer: "builtin" }));
  }
  return pictures;
}

/** Writes the pictures. */
export async function writePictures(): Promise<void> {
  for (const [file, svg] of await drawPictures()) {
    const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
    await writeFileAtomically(path, [new TextEncoder().encode(svg)]);
    console.log(`drawn to ${file}`);
  }
}

if (import.meta.main) await writePictures();
