import { printableLine, printableText } from "../../data/printable.ts";
import { greatest } from "../../data/extremes.ts";

/** Which side of a column its cells stand on. */
export type Alignment = "left" | "right";

/** Most characters of a cell: names of files may be as long as they like. */
const LONGEST_CELL = 120;

/** Columns of a usual terminal. */
const TERMINAL_WIDTH = 80;
/** A column of text is not made narrower than this. */
const NARROWEST = 12;

/**
 * Rows of cells as lines of text, columns padded to their widest cell and two spaces apart. Cells
 * may hold anything: they are made printable, and cut where they are long. Where a table would be
 * wider than a terminal, long cells of its widest column of text stand on lines of their own.
 */
export function formatTable(
  cells: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): string {
  const rows = cells.map((row) => row.map((cell) => printableLine(cell, LONGEST_CELL)));
  const widths = alignments.map((_, column) =>
    greatest([0, ...rows.map((row) => [...(row[column] ?? "")].length)])
  );
  const fitting = fitWidths(widths, alignments);
  const fits = (row: readonly string[]) =>
    fitting.every((width, column) => [...(row[column] ?? "")].length <= width);
  const lineOf = (row: readonly string[]) =>
    fitting.map((width, column) => {
      const cell = row[column] ?? "";
      const padding = " ".repeat(Math.max(0, width - [...cell].length));
      return alignments[column] === "right" ? padding + cell : cell + padding;
    }).join("  ").trimEnd();
  const long = fitting.findIndex((width, column) => width < widths[column]!);
  const lines = rows.flatMap((row) =>
    fits(row) || row.length <= long + 1
      ? [lineOf(row)]
      : [lineOf(row.slice(0, long + 1)), lineOf(row.map((cell, i) => i <= long ? "" : cell))]
  );
  return lines.join("\n");
}

/** The widths of columns in a terminal: the widest column of text, only, is narrower where needed. */
function fitWidths(widths: readonly number[], alignments: readonly Alignment[]): number[] {
  const total = widths.reduce((sum, width) => sum + width + 2, -2);
  const widest = greatest(widths.filter((_, column) => alignments[column] === "left"));
  const long = widths.findIndex((width, i) => width === widest && alignments[i] === "left");
  const room = Math.max(NARROWEST, widest - (total - TERMINAL_WIDTH));
  return widths.map((width, column) => column === long ? Math.min(width, room) : width);
}

/** Two texts side by side under their headings, each wrapped at spaces to half of `width`. */
export function formatColumns(
  headings: readonly [string, string],
  texts: readonly [string, string],
  width: number,
): string {
  const columnWidth = Math.max(20, Math.floor((width - 3) / 2));
  const left = [headings[0], "", ...wrapText(printableText(texts[0]), columnWidth)];
  const right = [headings[1], "", ...wrapText(printableText(texts[1]), columnWidth)];
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const cell = left[i] ?? "";
    const padding = " ".repeat(Math.max(0, columnWidth - [...cell].length));
    return `${cell}${padding}   ${right[i] ?? ""}`.trimEnd();
  });
  return lines.join("\n");
}

/**
 * Breaks lines that are longer than `width` at spaces. Words stay whole, so that paths can be copied,
 * and so do lines that are indented: they are commands.
 */
export function foldText(text: string, width: number): string {
  return text.split("\n").flatMap((line) => {
    const lines: string[] = [];
    let rest = [...line];
    while (rest.length > width) {
      const before = rest.lastIndexOf(" ", width);
      const place = before > 0 ? before : rest.indexOf(" ", width);
      if (place < 0 || rest[0] === " ") break;
      lines.push(rest.slice(0, place).join("").trimEnd());
      rest = rest.slice(place + 1);
    }
    return [...lines, rest.join("")];
  }).join("\n");
}

/** Lines of at most `width` characters, broken at spaces; a longer word is cut. */
export function wrapText(text: string, width: number): string[] {
  return text.split(/\r?\n/).flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(/\s+/).flatMap((word) => cutWord(word, width))) {
      const longer = line === "" ? word : `${line} ${word}`;
      if ([...longer].length <= width) {
        line = longer;
      } else {
        lines.push(line);
        line = word;
      }
    }
    return [...lines, line];
  });
}

function cutWord(word: string, width: number): string[] {
  const letters = [...word];
  const count = Math.max(1, Math.ceil(letters.length / width));
  return Array.from(
    { length: count },
    (_, i) => letters.slice(i * width, (i + 1) * width).join(""),
  );
}
