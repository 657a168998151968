import { bitsPerLayerFigure } from "../plots/bits_per_layer.ts";
import type { Figure } from "../plots/figure.ts";
import { plotCall, plotlyScript } from "../plots/figure_page.ts";
import { MADE_BY_COMMENT } from "../plots/made_by.ts";
import { escapeXml } from "../plots/svg/markup.ts";
import { tradeOffFigure } from "../plots/trade_off.ts";
import { REPORT_STYLE } from "./report_style.ts";
import type { ResultRow } from "./result_row.ts";
import { rowName, summaryTable, tensorTable } from "./tables.ts";

/** What a report shows. */
export interface ReportContent {
  /** The results; the first is on top. */
  readonly rows: readonly ResultRow[];
  /** What the samples continue; absent if there are none. */
  readonly prompt?: string;
  /** What the original writes. */
  readonly originalSample?: string;
  /** Commands that make the same results again. */
  readonly commands: readonly string[];
}

/** A figure and the id of the element that it is drawn in. */
interface PlacedFigure {
  readonly id: string;
  readonly figure: Figure;
}

/** One HTML page that needs no other file and no network: plotly is part of it. */
export async function reportPage(content: ReportContent): Promise<string> {
  const { rows } = content;
  const models = [...new Set(rows.map(({ model }) => model))].join(", ");
  const figures = reportFigures(rows);
  const title = `kanpress report: ${models}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${MADE_BY_COMMENT}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<link rel="icon" href="data:,">
<style>${REPORT_STYLE}</style>
${await plotlyScript()}
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header><h1>${escapeXml(title)}</h1></header>
<main>
<section id="results"><h2>Results</h2>
${summaryTable(rows)}
</section>
<section><h2>Size against quality</h2>
${figures.filter(({ id }) => id !== "bits").map(figureHtml).join("\n")}
</section>
${layersSection(rows, figures)}
${samplesSection(content)}
<section><h2>How to reproduce</h2>
<pre tabindex="0"><code>${escapeXml(content.commands.join("\n"))}</code></pre>
</section>
</main>
<script>
${figures.map(({ id, figure }) => plotCall(id, figure)).join("\n")}
</script>
</body>
</html>
`;
}

function reportFigures(rows: readonly ResultRow[]): PlacedFigure[] {
  const points = (measure: "perplexity" | "klDivergence") =>
    rows.flatMap((row) => {
      const { method = "compressed", compressedBytes, parameters } = row;
      const measured = row[measure];
      const bitsPerWeight = 8 * compressedBytes / parameters;
      return measured === undefined ? [] : [{ method, bitsPerWeight, ...measured }];
    });
  const original = rows[0]!.originalPerplexity.value;
  const isOneModel = rows.every((row) => row.originalPerplexity.value === original);
  const figures: PlacedFigure[] = [{
    id: "perplexity",
    figure: tradeOffFigure(points("perplexity"), {
      measure: "perplexity",
      ...(isOneModel ? { original } : {}),
    }),
  }];
  const divergences = points("klDivergence");
  if (divergences.length > 0) {
    const figure = tradeOffFigure(divergences, { measure: "klDivergence" });
    figures.push({ id: "divergence", figure });
  }
  const detailed = rows.find(({ tensors }) => tensors !== undefined);
  if (detailed !== undefined) {
    const title = `Bits per weight by depth, ${rowName(detailed)}`;
    figures.push({ id: "bits", figure: bitsPerLayerFigure(detailed.tensors!, title) });
  }
  return figures;
}

function figureHtml({ id, figure }: PlacedFigure): string {
  const { text } = (figure.layout as { title: { text: string } }).title;
  return `<div class="scroll" role="region" aria-label="${escapeXml(text)}" tabindex="0">` +
    `<div id="${id}" class="figure"></div></div>`;
}

function layersSection(rows: readonly ResultRow[], figures: readonly PlacedFigure[]): string {
  const detailed = rows.filter(({ tensors }) => tensors !== undefined);
  if (detailed.length === 0) return "";
  const tables = detailed.map((row) =>
    `<details><summary>Every tensor of ${escapeXml(rowName(row))}</summary>\n${
      tensorTable(row)
    }\n</details>`
  );
  return `<section><h2>Bits by layer</h2>
${figures.filter(({ id }) => id === "bits").map(figureHtml).join("\n")}
${tables.join("\n")}
</section>`;
}

function samplesSection({ rows, prompt, originalSample }: ReportContent): string {
  if (prompt === undefined) return "";
  const samples = [
    ...(originalSample === undefined ? [] : [["original", originalSample] as const]),
    ...rows.flatMap((row) => row.sample === undefined ? [] : [[rowName(row), row.sample] as const]),
  ];
  const articles = samples.map(([name, text]) =>
    `<article><h3>${escapeXml(name)}</h3><p><span class="prompt">${escapeXml(prompt)}</span>${
      escapeXml(text)
    }</p></article>`
  );
  return `<section><h2>What the models write</h2>
<div class="samples">
${articles.join("\n")}
</div>
</section>`;
}
