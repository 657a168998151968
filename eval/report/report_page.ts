import { bitsPerLayerFigure } from "../plots/bits_per_layer.ts";
import type { Figure } from "../plots/figure.ts";
import { plotCall, plotlyScript } from "../plots/figure_page.ts";
import { MADE_BY_COMMENT } from "../plots/made_by.ts";
import { escapeXml } from "../plots/svg/markup.ts";
import { tradeOffFigure } from "../plots/trade_off.ts";
import { REPORT_STYLE } from "./report_style.ts";
import type { ResultRow } from "./result_row.ts";
import { rowName, summaryTable, tensorTable } from "./tables.ts";
import type { WrittenTexts } from "./written_texts.ts";

/** What a report shows. */
export interface ReportContent {
  /** The results; the first is on top. */
  readonly rows: readonly ResultRow[];
  /** What models wrote, asked by the user. */
  readonly written?: readonly WrittenTexts[];
  /** What the samples of the results continue; absent if there are none. */
  readonly prompt?: string;
  /** Commands that make the same results again. */
  readonly commands: readonly string[];
}

/** A figure and the id of the element that it is drawn in. */
interface PlacedFigure {
  readonly id: string;
  readonly figure: Figure;
  /** Whether it shows the bits of layers. */
  readonly isBits?: true;
}

/** The results of one model. */
interface ModelPart {
  readonly model: string;
  readonly rows: readonly ResultRow[];
  readonly figures: readonly PlacedFigure[];
}

/**
 * One HTML page that needs no other file and no network: plotly is part of it. Each model has a part
 * of its own, since figures of different models are not points of one line.
 */
export async function reportPage(content: ReportContent): Promise<string> {
  const { rows, written = [] } = content;
  const names = [...new Set(rows.map(({ model }) => model))];
  const parts = names.map((model, index): ModelPart => {
    const own = rows.filter((row) => row.model === model);
    return { model, rows: own, figures: reportFigures(own, names.length > 1 ? `-${index}` : "") };
  });
  const about = names.length > 0 ? names : [...new Set(written.map(({ model }) => model))];
  const title = `kanpress report: ${about.join(", ")}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${MADE_BY_COMMENT}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<link rel="icon" href="data:,">
<style>${REPORT_STYLE}</style>
${rows.length > 0 ? await plotlyScript() : ""}
</head>
<body>
<a class="skip" href="#results">Skip to the results</a>
<header><h1>${escapeXml(title)}</h1></header>
<main id="results">
${parts.map((part) => partHtml(part, parts.length > 1, content.prompt)).join("\n")}
${writtenSection(written)}
<section><h2>How to reproduce</h2>
<pre tabindex="0"><code>${escapeXml(content.commands.join("\n"))}</code></pre>
</section>
</main>
<script>
${parts.flatMap(({ figures }) => figures).map(({ id, figure }) => plotCall(id, figure)).join("\n")}
</script>
</body>
</html>
`;
}

/** The sections of one model; where there are several, below its name. */
function partHtml(
  { model, rows, figures }: ModelPart,
  isOneOfSeveral: boolean,
  prompt: string | undefined,
): string {
  const level = isOneOfSeveral ? 3 : 2;
  const section = (title: string, html: string) =>
    html === "" ? "" : `<section><h${level}>${title}</h${level}>\n${html}\n</section>`;
  const heading = isOneOfSeveral ? `<h2>${escapeXml(model)}</h2>\n` : "";
  return `<section>${heading}
${section("Results", summaryTable(rows))}
${
    section(
      "Size against quality",
      figures.filter(({ isBits }) => !isBits).map(figureHtml).join("\n"),
    )
  }
${section("Bits by layer", layersHtml(rows, figures))}
${section("What the models write", samplesHtml(rows, prompt, level + 1))}
</section>`;
}

function reportFigures(rows: readonly ResultRow[], suffix: string): PlacedFigure[] {
  const points = (measure: "perplexity" | "klDivergence") =>
    rows.flatMap((row) => {
      const { method = "compressed", compressedBytes, parameters } = row;
      const measured = row[measure];
      const bitsPerWeight = 8 * compressedBytes / parameters;
      return measured === undefined ? [] : [{ method, bitsPerWeight, ...measured }];
    });
  const original = rows[0]!.originalPerplexity.value;
  // Perplexities on different texts have no original in common.
  const isOneText = rows.every((row) => row.originalPerplexity.value === original);
  const figures: PlacedFigure[] = [{
    id: `perplexity${suffix}`,
    figure: tradeOffFigure(points("perplexity"), {
      measure: "perplexity",
      ...(isOneText ? { original } : {}),
    }),
  }];
  const divergences = points("klDivergence");
  if (divergences.length > 0) {
    const figure = tradeOffFigure(divergences, { measure: "klDivergence" });
    figures.push({ id: `divergence${suffix}`, figure });
  }
  const detailed = rows.find(({ tensors }) => tensors !== undefined);
  if (detailed !== undefined) {
    const title = `Bits per weight by depth, ${rowName(detailed)}`;
    const figure = bitsPerLayerFigure(detailed.tensors!, title);
    figures.push({ id: `bits${suffix}`, figure, isBits: true });
  }
  return figures;
}

function figureHtml({ id, figure }: PlacedFigure): string {
  const { text } = (figure.layout as { title: { text: string } }).title;
  return `<div class="scroll" role="region" aria-label="${escapeXml(text)}" tabindex="0">` +
    `<div id="${id}" class="figure"></div></div>`;
}

function layersHtml(rows: readonly ResultRow[], figures: readonly PlacedFigure[]): string {
  const tables = rows.filter(({ tensors }) => tensors !== undefined).map((row) =>
    `<details><summary>Every tensor of ${escapeXml(rowName(row))}</summary>\n${
      tensorTable(row)
    }\n</details>`
  );
  return [...figures.filter(({ isBits }) => isBits).map(figureHtml), ...tables].join("\n");
}

/** What a text is called, what came before it, and itself. */
type Sample = readonly [name: string, given: string, text: string];

function samplesHtml(
  rows: readonly ResultRow[],
  prompt: string | undefined,
  level: number,
): string {
  if (prompt === undefined) return "";
  const original = rows.find(({ originalSample }) => originalSample !== undefined);
  return sampleArticles([
    ...(original === undefined ? [] : [["original", prompt, original.originalSample!] as const]),
    ...rows.flatMap((row): Sample[] =>
      row.sample === undefined ? [] : [[rowName(row), prompt, row.sample]]
    ),
  ], level);
}

function sampleArticles(samples: readonly Sample[], level: number): string {
  if (samples.length === 0) return "";
  const articles = samples.map(([name, given, text]) =>
    `<article><h${level}>${escapeXml(name)}</h${level}><p><span class="prompt">${
      escapeXml(given)
    }</span>${escapeXml(text)}</p></article>`
  );
  return `<div class="samples">\n${articles.join("\n")}\n</div>`;
}

/** What models were asked by the user, and wrote. */
function writtenSection(written: readonly WrittenTexts[]): string {
  if (written.length === 0) return "";
  const parts = written.map(({ model, given, original, compressed }) => {
    const isContinued = given.length === 1 && given[0]!.role === "text";
    const before = isContinued ? given[0]!.content : "";
    const said = isContinued
      ? []
      : given.map(({ role, content }) =>
        `<p class="said"><strong>${escapeXml(role)}</strong> ${escapeXml(content)}</p>`
      );
    const texts: Sample[] = [];
    if (original !== undefined) {
      texts.push([compressed === undefined ? model : "original", before, original]);
    }
    if (compressed !== undefined) texts.push(["compressed", before, compressed]);
    return `<section><h3>${escapeXml(model)}</h3>\n${said.join("\n")}\n${
      sampleArticles(texts, 4)
    }\n</section>`;
  });
  return `<section><h2>Asked</h2>\n${parts.join("\n")}\n</section>`;
}
