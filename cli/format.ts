/** How numbers are shown to people; `--json` prints them unrounded. */
const LOCALE = "en";

/** A size in bytes with its decimal unit: `8.55 MB`. */
export function formatBytes(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(LOCALE, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: power === 0 ? 0 : 2,
    minimumFractionDigits: power === 0 ? 0 : 2,
  }).format(bytes / 1000 ** power);
}

/** A count with thousands separators: `4,273,664`. */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 }).format(count);
}

/** A share as a percentage: `97.1 %`. */
export function formatShare(share: number, digits = 1): string {
  return `${formatFixed(share * 100, digits)} %`;
}

/** A number with a fixed count of decimals: `4.54`. */
export function formatFixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  return new Intl.NumberFormat(LOCALE, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** A measurement of any size with four significant digits: `0.001014`, `53.79`, `41,230`. */
export function formatMeasure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && Math.abs(value) < 1e-4) return value.toExponential(1);
  return new Intl.NumberFormat(LOCALE, {
    minimumSignificantDigits: 4,
    maximumSignificantDigits: 4,
  }).format(value);
}

/** A measurement and its standard error, both to the decimal that the error makes meaningful. */
export function formatWithError(value: number, standardError: number | undefined): string {
  if (standardError === undefined || !(standardError > 0) || !Number.isFinite(value)) {
    return formatMeasure(value);
  }
  const digits = Math.min(8, Math.max(0, 1 - Math.floor(Math.log10(standardError))));
  return `${formatFixed(value, digits)} ± ${formatFixed(standardError, digits)}`;
}

/** Seconds: `0.42 s`, `12.3 s`. */
export function formatSeconds(seconds: number): string {
  return `${formatFixed(seconds, seconds < 10 ? 2 : 1)} s`;
}

/** Which side of a column its cells stand on. */
export type Alignment = "left" | "right";

/** Rows of cells as lines of text, columns padded to their widest cell and two spaces apart. */
export function formatTable(
  rows: readonly (readonly string[])[],
  alignments: readonly Alignment[],
): string {
  const widths = alignments.map((_, column) =>
    Math.max(0, ...rows.map((row) => [...(row[column] ?? "")].length))
  );
  const lines = rows.map((row) =>
    widths.map((width, column) => {
      const cell = row[column] ?? "";
      const padding = " ".repeat(width - [...cell].length);
      return alignments[column] === "right" ? padding + cell : cell + padding;
    }).join("  ").trimEnd()
  );
  return lines.join("\n");
}

/** Two texts side by side under their headings, each wrapped at spaces to half of `width`. */
export function formatColumns(
  headings: readonly [string, string],
  texts: readonly [string, string],
  width: number,
): string {
  const columnWidth = Math.max(20, Math.floor((width - 3) / 2));
  const left = [headings[0], "", ...wrapText(texts[0], columnWidth)];
  const right = [headings[1], "", ...wrapText(texts[1], columnWidth)];
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const cell = left[i] ?? "";
    const padding = " ".repeat(Math.max(0, columnWidth - [...cell].length));
    return `${cell}${padding}   ${right[i] ?? ""}`.trimEnd();
  });
  return lines.join("\n");
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
