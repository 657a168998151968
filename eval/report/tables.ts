import { formatBytes, formatFixed, formatShare, formatWithError } from "./number_text.ts";
import { escapeXml } from "../plots/svg/markup.ts";
import type { Measured, ResultRow } from "./result_row.ts";

/** One column of a table. */
interface Column<T> {
  readonly title: string;
  readonly cell: (row: T) => string;
  readonly isText?: true;
}

/** A table that scrolls by itself where the window is narrow, also by keyboard. */
function tableHtml<T>(caption: string, columns: readonly Column<T>[], rows: readonly T[]): string {
  const head = columns.map(({ title, isText }) =>
    `<th scope="col"${isText ? ' class="text"' : ""}>${escapeXml(title)}</th>`
  );
  const body = rows.map((row) => {
    const cells = columns.map(({ cell, isText }, index) => {
      const content = escapeXml(cell(row));
      if (index === 0) return `<th scope="row" class="text">${content}</th>`;
      return `<td${isText ? ' class="text"' : ""}>${content}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<div class="scroll" role="region" aria-label="${escapeXml(caption)}" tabindex="0">
<table>
<caption>${escapeXml(caption)}</caption>
<thead><tr>${head.join("")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
</div>`;
}

/** What a result is called on the page. */
export function rowName(
  { method = "compressed", name = method, parameters, compressedBytes }: ResultRow,
): string {
  return `${name}, ${formatFixed(8 * compressedBytes / parameters, 2)} bits`;
}

function measuredText(measured: Measured | undefined): string {
  return measured === undefined ? "" : formatWithError(measured.value, measured.standardError);
}

/** All results and their original. */
export function summaryTable(rows: readonly ResultRow[]): string {
  const columns: Column<ResultRow>[] = [
    { title: "model", cell: rowName, isText: true },
    { title: "size", cell: ({ compressedBytes }) => formatBytes(compressedBytes) },
    {
      title: "times smaller",
      cell: ({ originalBytes, compressedBytes }) =>
        originalBytes === undefined ? "" : formatFixed(originalBytes / compressedBytes, 2),
    },
    { title: "perplexity", cell: ({ perplexity }) => measuredText(perplexity) },
    { title: "original's perplexity", cell: (row) => measuredText(row.originalPerplexity) },
    { title: "mean KL divergence (nats)", cell: (row) => measuredText(row.klDivergence) },
    {
      title: "same top 1",
      cell: ({ sameTop1 }) => sameTop1 === undefined ? "" : formatShare(sameTop1),
    },
  ];
  const shown = columns.filter(({ cell }) => rows.some((row) => cell(row) !== ""));
  return tableHtml("Size and quality; ± is one standard error", shown, rows);
}

/** What each tensor of one result costs. */
export function tensorTable(row: ResultRow): string {
  const tensors = row.tensors ?? [];
  const bitsOf = (shape: readonly number[], bits: number) =>
    shape.reduce((product, size) => product * size, bits);
  return tableHtml(`Tensors of ${rowName(row)}`, [
    { title: "tensor", cell: ({ name }) => name, isText: true },
    { title: "shape", cell: ({ shape }) => shape.join(" × ") },
    { title: "bits per weight", cell: ({ bitsPerWeight }) => formatFixed(bitsPerWeight, 2) },
    {
      title: "size",
      cell: ({ shape, bitsPerWeight }) => formatBytes(Math.ceil(bitsOf(shape, bitsPerWeight) / 8)),
    },
    {
      title: "share of file",
      cell: ({ shape, bitsPerWeight }) =>
        formatShare(bitsOf(shape, bitsPerWeight) / 8 / row.compressedBytes),
    },
  ], tensors);
}
