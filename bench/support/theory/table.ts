/** Prints rows under headings as a Markdown table whose columns are aligned. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  console.log(markdownTable(headings, rows));
}

/** Rows under headings as a Markdown table whose columns are aligned. */
export function markdownTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, i) =>
    Math.max(2, heading.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padStart(widths[i]!)).join(" | ")} |`;
  const rule = widths.map((width) => `${"-".repeat(width - 1)}:`);
  return [headings, rule, ...rows].map(line).join("\n");
}
