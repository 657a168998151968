/** Prints rows under headings as a Markdown table whose columns are aligned. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = headings.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padStart(widths[i]!)).join(" | ")} |`;
  console.log(line(headings));
  console.log(line(widths.map((width) => `${"-".repeat(width - 1)}:`)));
  for (const row of rows) console.log(line(row));
}
