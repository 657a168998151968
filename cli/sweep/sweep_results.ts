import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonObject } from "../../data/json_file.ts";
import { InputError, openFile } from "../../data/mod.ts";
import { printableLine } from "../../data/printable.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import { paretoFront } from "../../eval/plots/pareto.ts";
import { formatFixed, formatWithError } from "../../eval/report/number_text.ts";
import { safetensorsMetadata, startOf } from "../output/kinds.ts";
import type { Output, OutputKind } from "../output/output.ts";
import { parseSweep, SWEEP_COLUMNS, type SweepRecord, type SweepRow } from "./sweep_record.ts";
import { formatTable } from "../terminal/text_table.ts";

/** What the original came to, point by point of the text. */
export const ORIGINAL_NAME = "original.safetensors";
const RECORD_NAME = "sweep.json";
const TABLE_NAME = "sweep.csv";

/** A row for a point that has been measured. */
export function measuredRow(
  { name, bits }: { readonly name: string; readonly bits?: number },
  sizes: { readonly bytes: number; readonly bitsPerWeight: number },
  result: EvaluationResult,
  seconds: { readonly compress: number; readonly evaluate: number },
): SweepRow {
  const row: SweepRow = {
    name,
    bits: bits ?? null,
    error: null,
    bitsPerWeight: sizes.bitsPerWeight,
    compressedBytes: sizes.bytes,
    perplexity: result.perplexity.compressed ?? null,
    perplexityStandardError: result.perplexityStandardError.compressed ?? null,
    perplexityRatio: result.perplexityRatio?.value ?? null,
    perplexityRatioStandardError: result.perplexityRatio?.standardError ?? null,
    klDivergence: result.klDivergence?.mean ?? null,
    klDivergenceStandardError: result.klDivergence?.standardError ?? null,
    klDivergenceMedian: result.klDivergence?.median ?? null,
    klDivergenceP999: result.klDivergence?.p999 ?? null,
    sameTop1: result.sameTop1?.share ?? null,
    sameTop1StandardError: result.sameTop1?.standardError ?? null,
    rmsProbabilityChange: result.rmsProbabilityChange?.value ?? null,
    compressSeconds: seconds.compress,
    evaluateSeconds: seconds.evaluate,
  };
  const finite = Object.entries(row).map(([column, value]) =>
    typeof value === "number" ? [column, finiteOrNull(value)] : [column, value]
  );
  return Object.fromEntries(finite) as SweepRow;
}

/** The number, or null where it is not finite: what comes back from JSON. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A row for a point that cannot be had. */
export function failedRow(
  { name, bits }: { readonly name: string; readonly bits?: number },
  error: string,
): SweepRow {
  const empty = Object.fromEntries(
    SWEEP_COLUMNS.map((column) => [column, null]),
  ) as unknown as SweepRow;
  return { ...empty, name, bits: bits ?? null, error };
}

/**
 * Reads the sweep in `folder` that is to be resumed; undefined if there is none. Throws
 * {@linkcode InputError} where it is of other settings.
 */
export async function readSweep(
  folder: string,
  settings: SweepRecord["settings"],
): Promise<SweepRecord | undefined> {
  const file = join(folder, RECORD_NAME);
  if (!existsSync(file)) return undefined;
  const record = parseSweep(await readJsonObject(await openFile(file)), file);
  const keys = new Set([...Object.keys(settings), ...Object.keys(record.settings)]);
  const changed = [...keys].filter((key) => record.settings[key] !== settings[key]);
  if (changed.length === 0) return record;
  throw new InputError(
    `${file}: is a sweep with other settings (${changed.join(", ")}); choose another --out`,
  );
}

/** Writes `sweep.json` and `sweep.csv`. */
export async function writeSweep(output: Output, record: SweepRecord): Promise<void> {
  const write = (name: string, text: string) =>
    output.publishWithin(
      name,
      (path) => writeFileAtomically(path, [new TextEncoder().encode(text)]),
    );
  await write(TABLE_NAME, csvOf(record.points));
  await write(RECORD_NAME, `${JSON.stringify(record, null, 2)}\n`);
}

/** A folder of sweeps: its three files must be ours, others are left alone. */
export const sweepFolder: OutputKind = {
  option: "--out",
  shape: "folder",
  async foreign(folder) {
    for (const [name, isOurs] of Object.entries(SIGNS)) {
      const path = join(folder, name);
      if (existsSync(path) && !await isOurs(path)) return `has ${name}, which sweep did not write`;
    }
    return undefined;
  },
};

/** How each file of a sweep is known. */
const SIGNS: Readonly<Record<string, (path: string) => Promise<boolean>>> = {
  [RECORD_NAME]: async (path) => /^\{\s*"model": /.test(await startOf(path, 100)),
  [TABLE_NAME]: async (path) => (await startOf(path, 100)).startsWith("name,bits,"),
  [ORIGINAL_NAME]: async (path) => "fingerprint" in await safetensorsMetadata(path),
};

/** The table as CSV (RFC 4180): absent figures are empty. */
export function csvOf(rows: readonly SweepRow[]): string {
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = rows.map((row) => SWEEP_COLUMNS.map((column) => cell(row[column])).join());
  return [SWEEP_COLUMNS.join(), ...lines].map((line) => `${line}\r\n`).join("");
}

/** The rows that no other row beats both in size and in divergence, smallest first. */
export function frontOf(rows: readonly SweepRow[]): SweepRow[] {
  const points = rows.map(({ bitsPerWeight, klDivergence }) => ({
    x: bitsPerWeight ?? NaN,
    y: klDivergence ?? NaN,
  }));
  return paretoFront(points).map((index) => rows[index]!);
}

/** Stands for a figure that is not finite. */
const NOT_FINITE = "∞";

function figure(value: number | null, standardError?: number | null): string {
  return value === null ? NOT_FINITE : formatWithError(value, standardError ?? undefined);
}

/** The sweep for people: all points by size, those of the front marked. */
export function sweepText({ model, original, points }: SweepRecord): string {
  const front = new Set(frontOf(points));
  const measured = points.filter(({ error }) => error === null)
    .toSorted((a, b) => a.bitsPerWeight! - b.bitsPerWeight!);
  const rows = measured.map((row) => [
    front.has(row) ? "*" : "",
    row.name,
    formatFixed(row.bitsPerWeight!, 3),
    figure(row.perplexityRatio),
    figure(row.klDivergence, row.klDivergenceStandardError),
    figure(row.klDivergenceP999),
    row.sameTop1 === null ? NOT_FINITE : `${formatFixed(100 * row.sameTop1, 2)} %`,
  ]);
  const heading = ["", "point", "bits", "perplexity", "mean KL", "99.9 % KL", "top 1"];
  const table = formatTable([heading, ...rows], [
    "left",
    "left",
    "right",
    "right",
    "right",
    "right",
    "right",
  ]);
  const perplexity = figure(original.perplexity, original.perplexityStandardError);
  const failures = points.filter(({ error }) => error !== null)
    .map((row) => `${row.name}${row.bits === null ? "" : ` at ${row.bits} bits`}: ${row.error}`)
    .map((line) => printableLine(line));
  return [
    `${printableLine(model)}, perplexity ${perplexity}`,
    "",
    table,
    "",
    "* on the Pareto front of bits per weight and mean KL divergence; perplexity is",
    "relative to the original's, top 1 how often the likeliest token is the same",
    ...failures,
  ].join("\n");
}
