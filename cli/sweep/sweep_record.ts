import { InputError } from "../../data/mod.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { quote, quoteValue } from "../../data/quote.ts";

/**
 * What one point of a sweep came to; flat, one row of the table. Figures are null where the point
 * failed or they are not finite: JSON has no other word for that.
 */
export interface SweepRow {
  /** Name of the point. */
  readonly name: string;
  /** Target, where the point has one. */
  readonly bits: number | null;
  /** Why there are no figures, where the point failed; the others are null then. */
  readonly error: string | null;
  /** Bits of the whole file per parameter. */
  readonly bitsPerWeight: number | null;
  /** Bytes of the whole file. */
  readonly compressedBytes: number | null;
  /** Figures of {@linkcode EvaluationResult}. */
  readonly perplexity: number | null;
  readonly perplexityStandardError: number | null;
  readonly perplexityRatio: number | null;
  readonly perplexityRatioStandardError: number | null;
  readonly klDivergence: number | null;
  readonly klDivergenceStandardError: number | null;
  readonly klDivergenceMedian: number | null;
  readonly klDivergenceP999: number | null;
  readonly sameTop1: number | null;
  readonly sameTop1StandardError: number | null;
  readonly rmsProbabilityChange: number | null;
  /** Seconds of wall clock. */
  readonly compressSeconds: number | null;
  readonly evaluateSeconds: number | null;
}

/** The fields of a row, in the order of the table. */
export const SWEEP_COLUMNS: readonly (keyof SweepRow)[] = [
  "name",
  "bits",
  "bitsPerWeight",
  "compressedBytes",
  "perplexity",
  "perplexityStandardError",
  "perplexityRatio",
  "perplexityRatioStandardError",
  "klDivergence",
  "klDivergenceStandardError",
  "klDivergenceMedian",
  "klDivergenceP999",
  "sameTop1",
  "sameTop1StandardError",
  "rmsProbabilityChange",
  "compressSeconds",
  "evaluateSeconds",
  "error",
];

/** A sweep as it stands in `sweep.json`. */
export interface SweepRecord {
  /** Name of the model. */
  readonly model: string;
  /** What all points share; points of other settings are not comparable. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Of the uncompressed model; null where a figure is not finite. */
  readonly original: {
    readonly perplexity: number | null;
    readonly perplexityStandardError: number | null;
  };
  /** The command lines that added points. */
  readonly commands: readonly string[];
  /** Points in the order in which they were done. */
  readonly points: readonly SweepRow[];
}

/**
 * Checks that a JSON value is a sweep, which people may have edited. Throws {@linkcode InputError}
 * that names the file, the point and the field.
 */
export function parseSweep(value: unknown, file: string): SweepRecord {
  const fail = (what: string, advice = "choose another --out") =>
    new InputError(`${file}: ${what}; ${advice}`);
  if (!isJsonObject(value)) throw fail("was not written by sweep");
  const { model, settings, original, commands, points } = value;
  if (typeof model !== "string" || !isJsonObject(settings) || !Array.isArray(points)) {
    throw fail("was not written by sweep");
  }
  for (const [key, setting] of Object.entries(settings)) {
    if (setting !== null && typeof setting === "object") {
      throw fail(`setting ${quote(key)} is not a value`);
    }
  }
  if (
    !isJsonObject(original) || !isFigure(original["perplexity"]) ||
    !isFigure(original["perplexityStandardError"])
  ) {
    throw fail("does not tell the original's perplexity");
  }
  if (!Array.isArray(commands) || !commands.every((line) => typeof line === "string")) {
    throw fail("does not tell the commands that made it");
  }
  points.forEach((point, index) => {
    const where = `point ${index + 1}`;
    const advice = "remove that point to measure it again, or choose another --out";
    if (!isJsonObject(point)) throw fail(`${where} is not a JSON object`, advice);
    for (const column of SWEEP_COLUMNS) {
      const field = point[column];
      if (isField(column, field)) continue;
      throw fail(`${where}: ${column} is ${quoteValue(field)}`, advice);
    }
    const { error, bitsPerWeight, compressedBytes } = point;
    if (error === null && (bitsPerWeight === null || compressedBytes === null)) {
      throw fail(`${where} has neither a size nor an error`, advice);
    }
  });
  return value as unknown as SweepRecord;
}

function isField(column: keyof SweepRow, value: unknown): boolean {
  if (column === "name") return typeof value === "string";
  if (column === "error") return value === null || typeof value === "string";
  return isFigure(value);
}

/** A number, or null if there is none or it was not finite. */
function isFigure(value: unknown): boolean {
  return value === null || (typeof value === "number" && Number.isFinite(value));
}
