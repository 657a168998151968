/** Prints rows under headings as a Markdown table whose columns are aligned. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  console.log(markdownTable(headings, rows));
}

/** Rows under headings as a Markdown table: words begin at the left of their column, figures end at the right. */
export function markdownTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, i) =>
    Math.max(2, heading.length, ...rows.map((row) => row[i]!.length))
  );
  const isFigure = (cell: string) => cell === "" || /^[-+.±]*\d/.test(cell);
  const ofWords = headings.map((_, i) =>
    rows.filter((row) => isFigure(row[i]!)).length <= rows.length / 2
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) => ofWords[i] ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
        .join(" | ")
    } |`;
  const rule = widths.map((width, i) => `${"-".repeat(width - 1)}${ofWords[i] ? "-" : ":"}`);
  return [headings, rule, ...rows].map(line).join("\n");
}
