/** The heading, in a model's card, of the table of what compression cost. */
export const MEASURED_HEADING = "## What the compression costs";

/** A row of that table. */
export interface MeasuredRow {
  /** What was measured, such as `mean KL divergence`. */
  readonly name: string;
  /** The original's value; empty where it has none. */
  readonly original: string;
  /** The compressed model's value. */
  readonly compressed: string;
  /** Unit or remark; may be empty. */
  readonly remark: string;
}

/** The part of a card from a heading to the next one, both trimmed; undefined if it has no such. */
export function sectionOf(card: string, heading: string): string | undefined {
  const start = card.indexOf(`\n${heading}\n`);
  if (start < 0) return undefined;
  const end = card.indexOf("\n## ", start + heading.length);
  return card.slice(start, end < 0 ? undefined : end).trim();
}

/**
 * The rows of the table of what compression cost in a card that kanpress wrote, in their order; none
 * where the card has no such table. Cells are text, and may hold anything.
 *
 * ```ts
 * import { readMeasuredTable } from "./measured_table.ts";
 * import assert from "node:assert";
 *
 * const card = "# A model\n\n## What the compression costs\n\n|  | original | compressed |  |\n" +
 *   "| --- | ---: | ---: | --- |\n| size | 8.55 MB | 2.13 MB | 4.01× smaller |\n";
 * assert.deepEqual(readMeasuredTable(card), [
 *   { name: "size", original: "8.55 MB", compressed: "2.13 MB", remark: "4.01× smaller" },
 * ]);
 * ```
 */
export function readMeasuredTable(card: string): MeasuredRow[] {
  const lines = (sectionOf(card, MEASURED_HEADING) ?? "").split("\n");
  const rows = lines.filter((line) => line.startsWith("|")).slice(2);
  return rows.map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|"));
    const [name = "", original = "", compressed = "", remark = ""] = cells;
    return { name, original, compressed, remark };
  });
}
