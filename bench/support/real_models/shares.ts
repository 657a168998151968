import { formatFixed } from "../../../eval/report/number_text.ts";
import { markdownTable } from "../theory/table.ts";
import type { ResultLine } from "./results_file.ts";

/** A file and how far what is in it is from the original on a text. */
export interface QualityPoint {
  /** What tables call it. */
  readonly method: string;
  /** Bytes that are compared. */
  readonly bytes: number;
  /** Mean divergence, nats. */
  readonly mean: number;
  /** Its 99.9th percentile. */
  readonly p999: number;
  /** Seconds of making the file. */
  readonly seconds: number;
}

/** What kanpress would need to be as near to the original as another file. */
export interface Equal {
  /** Bytes at which the mean divergence is the other's, between two rates that were measured. */
  readonly bytes: number;
  /** The 99.9th percentile there. */
  readonly p999: number;
}

/** All files that were measured on a text. */
export function qualityPoints(lines: readonly ResultLine[], text: string): QualityPoint[] {
  return lines.flatMap((line, i) => {
    if (line.kind !== "text" || line.text !== text || line.result.protocol !== "llama.cpp") {
      return [];
    }
    const isLast = !lines.slice(i + 1).some((other) =>
      other.kind === "text" && other.method === line.method && other.text === text &&
      other.result.protocol === "llama.cpp"
    );
    const file = lines.findLast((other) => other.kind === "file" && other.method === line.method);
    const { klDivergence } = line.result;
    if (!isLast || file?.kind !== "file" || klDivergence === undefined) return [];
    const { counted, seconds } = file.file;
    const { mean, p999 } = klDivergence;
    return [{ method: line.method, bytes: counted, mean, p999, seconds }];
  });
}

/**
 * Where a line through points of size and divergence meets a divergence: its logarithm is taken to
 * be linear in the bytes between two neighbours. Undefined outside of what was measured.
 */
export function equalQuality(
  points: readonly QualityPoint[],
  mean: number,
): Equal | undefined {
  const sorted = points.toSorted((a, b) => a.bytes - b.bytes);
  // The largest file that is still worse than asked for, and the next.
  for (let i = sorted.length - 1; i > 0; i--) {
    const [small, large] = [sorted[i - 1]!, sorted[i]!];
    if (small.mean < mean || large.mean > mean) continue;
    const span = Math.log(small.mean / large.mean);
    const place = span === 0 ? 1 : Math.log(small.mean / mean) / span;
    const between = (a: number, b: number) => a * (b / a) ** place;
    return {
      bytes: small.bytes + place * (large.bytes - small.bytes),
      p999: between(small.p999, large.p999),
    };
  }
  return undefined;
}

/** Shares of llama.cpp's bytes that are aimed at, by its type. */
export type Goals = Readonly<Record<string, number>>;

/**
 * For each of llama.cpp's types and each text: which share of its bytes kanpress needs for the same
 * mean divergence, and the 99.9th percentiles beside each other.
 */
export function sharesTable(lines: readonly ResultLine[], goals: Goals): string {
  const texts = [...new Set(lines.flatMap((line) => line.kind === "text" ? [line.text] : []))];
  const rows = texts.flatMap((text) => {
    const points = qualityPoints(lines, text);
    const ours = points.filter(({ method }) => method.startsWith("kanpress"));
    const others = points.filter(({ method }) => method.startsWith("llama.cpp"));
    return others.toSorted((a, b) => b.bytes - a.bytes).map((other) => {
      const equal = equalQuality(ours, other.mean);
      const goal = goals[other.method.split(" ")[1] ?? ""];
      return [
        other.method,
        formatFixed(other.bytes / 1e6, other.bytes < 1e7 ? 4 : 2),
        text,
        other.mean.toPrecision(3),
        equal === undefined
          ? "not between the rates"
          : `${formatFixed(100 * equal.bytes / other.bytes, 1)} %`,
        goal === undefined ? "" : `${formatFixed(100 * goal, 0)} %`,
        other.p999.toPrecision(3),
        equal === undefined ? "" : equal.p999.toPrecision(3),
        equal === undefined || goal === undefined ? "" : verdict(equal, other, goal),
      ];
    });
  });
  if (rows.length === 0) return "";
  const headings = [
    "",
    "MB",
    "text",
    "mean KL",
    "share of its bytes",
    "goal",
    "99.9 %",
    "ours",
    "",
  ];
  // Without goals there is nothing to say of them.
  const shown = headings.map((_, i) => i === 0 || rows.some((row) => row[i] !== ""));
  const used = (cells: readonly string[]) => cells.filter((_, i) => shown[i]);
  return markdownTable(used(headings), rows.map(used));
}

function verdict(equal: Equal, other: QualityPoint, goal: number): string {
  const small = equal.bytes <= goal * other.bytes, short = equal.p999 <= other.p999;
  if (small && short) return "reached";
  return small ? "tail missed" : short ? "missed" : "missed, tail too";
}

/** What each row took: making its file, and measuring it. */
export function timesTable(lines: readonly ResultLine[]): string {
  const methods = new Set(lines.flatMap((line) => "method" in line ? [line.method] : []));
  const rows = Array.from(methods, (method) => {
    const own = lines.filter((line) => "method" in line && line.method === method);
    const file = own.findLast((line) => line.kind === "file");
    const measuring = own.reduce(
      (sum, line) => sum + (line.kind === "text" ? line.seconds : 0),
      0,
    );
    const making = file?.kind === "file" ? `${formatFixed(file.file.seconds, 0)} s` : "";
    return [method, making, `${formatFixed(measuring, 0)} s`];
  });
  const calibrations = lines.flatMap((line) =>
    line.kind === "calibration"
      ? [[`calibration of ${line.what}`, `${formatFixed(line.seconds, 0)} s`, ""]]
      : []
  );
  return markdownTable(["", "making it", "measuring it"], [...calibrations, ...rows]);
}
