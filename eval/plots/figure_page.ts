import type { Figure } from "./figure.ts";
import { MADE_BY_COMMENT } from "./made_by.ts";
import { readPackaged } from "./static_picture.ts";
import { escapeXml } from "./svg/markup.ts";

/** A page with one figure, to be opened from disk: plotly is part of it. */
export async function figurePage(figure: Figure): Promise<string> {
  const title = (figure.layout as { title?: { text?: string } }).title?.text ?? "figure";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${MADE_BY_COMMENT}
<title>${escapeXml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<style>main { overflow-x: auto; } #figure { width: max-content; margin: 0 auto; }</style>
${await plotlyScript()}
</head>
<body>
<main><div id="figure" role="img" aria-label="${escapeXml(title)}"></div></main>
<script>
${plotCall("figure", figure)}
</script>
</body>
</html>
`;
}

/** The script element that brings plotly. */
export async function plotlyScript(): Promise<string> {
  // Puts the package into the module graph, without which its files have no path.
  await import("plotly.js-basic-dist-min/package.json", { with: { type: "json" } });
  const source = await readPackaged("plotly.js-basic-dist-min/plotly-basic.min.js");
  // The sequence would end the element; in a string, which is where it can stand, this is the same.
  return `<script>${
    new TextDecoder().decode(source).replaceAll("</script", "<\\/script")
  }</script>`;
}

/** A statement that draws a figure in the element with an id. */
export function plotCall(id: string, { data, layout }: Figure): string {
  const json = [JSON.stringify(id), scriptJson(data), scriptJson(layout)].join(", ");
  return `Plotly.newPlot(${json}, {responsive: true, displaylogo: false});`;
}

/** JSON that can stand in a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
