import type { Measured, ResultRow } from "./result_row.ts";
import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { parseJson } from "../../data/parse_json.ts";
import { isSweep, sweepRows } from "./sweep_rows.ts";
import { isWritten, parseWritten, type WrittenTexts } from "./written_texts.ts";

/** How names of compressed files end. */
const COMPRESSED_ENDING = ".kan.safetensors";

/** What a file holds for a report. */
export interface ReportInput {
  /** What was measured. */
  readonly rows: readonly ResultRow[];
  /** What models wrote. */
  readonly written: readonly WrittenTexts[];
}

/**
 * Reads results as {@linkcode parseResults} does, and what `evaluate --prompt` and `--chat` print
 * with `--json`.
 */
export function parseReportInput(text: string, file: string): ReportInput {
  const rows: ResultRow[] = [];
  const written: WrittenTexts[] = [];
  for (const [index, value] of parseRows(text, file).entries()) {
    const where = `${file}: result ${index + 1}`;
    if (isWritten(value)) written.push(parseWritten(value, where));
    else if (isSweep(value)) rows.push(...sweepRows(value, where));
    else rows.push(parseRow(value, where));
  }
  if (rows.length + written.length === 0) {
    throw new InputError(`${file}: has no results; measure some first`);
  }
  return { rows, written };
}

/**
 * Reads results as `compress --json`, `evaluate --json` and `sweep --json` print them: one JSON
 * object, an array of them, or one a line. Throws {@linkcode InputError} that names the file, the row
 * and what is wrong.
 */
export function parseResults(text: string, file: string): ResultRow[] {
  const { rows } = parseReportInput(text, file);
  if (rows.length === 0) throw new InputError(`${file}: has no results; measure some first`);
  return [...rows];
}

function parseRows(text: string, file: string): unknown[] {
  const parse = (part: string, where: string): unknown => {
    try {
      return parseJson(part);
    } catch {
      throw new InputError(
        `${where}: is not JSON; give what compress, evaluate or sweep --json printed`,
      );
    }
  };
  try {
    const whole: unknown = parseJson(text);
    return Array.isArray(whole) ? whole : [whole];
  } catch {
    return text.split("\n").flatMap((line, index) =>
      line.trim() === "" ? [] : [parse(line, `${file}: line ${index + 1}`)]
    );
  }
}

function parseRow(row: unknown, where: string): ResultRow {
  if (!isJsonObject(row)) throw new InputError(`${where}: is not a JSON object`);
  const number = (name: string) => {
    const value = row[name];
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
    throw new InputError(
      `${where}: lacks ${name}; give what compress, evaluate or sweep --json printed`,
    );
  };
  const text = (name: string) => typeof row[name] === "string" ? { [name]: row[name] } : {};
  const error = isJsonObject(row["perplexityStandardError"]) ? row["perplexityStandardError"] : {};
  const perplexity = row["perplexity"];
  if (!isJsonObject(perplexity)) throw new InputError(`${where}: lacks perplexity of both models`);
  const kl = row["klDivergence"];
  const method = row["method"] ?? row["preset"];
  return {
    model: originalName(row),
    ...(typeof method === "string" ? { method } : {}),
    parameters: number("parameters"),
    originalBytes: number("originalBytes"),
    compressedBytes: number("compressedBytes"),
    perplexity: measured(perplexity["compressed"], error["compressed"], `${where}: perplexity`),
    originalPerplexity: measured(perplexity["original"], error["original"], `${where}: perplexity`),
    ...(isJsonObject(kl)
      ? { klDivergence: measured(kl["mean"], kl["standardError"], `${where}: klDivergence`) }
      : {}),
    ...(typeof row["sameTop1"] === "number" ? { sameTop1: row["sameTop1"] } : {}),
    ...(typeof row["command"] === "string" ? { commands: [row["command"]] } : {}),
    ...(compressedName(row["model"]) ? { out: row["model"] } : text("out")),
    ...text("sample"),
  };
}

/** The name of the model that was compressed, without its path: results of it belong together. */
function originalName(row: Readonly<Record<string, unknown>>): string {
  const { model, comparedWith } = row;
  const original = isJsonObject(comparedWith) ? comparedWith["name"] : undefined;
  const name = compressedName(model) && typeof original === "string" ? original : model;
  if (typeof name !== "string") return "model";
  const isFile = name.endsWith(COMPRESSED_ENDING);
  return !isFile && /^(\.|\/|~)/.test(name) ? name.replace(/\/+$/, "").replace(/^.*\//, "") : name;
}

/** What `evaluate --json` calls a compressed model: its file. */
function compressedName(model: unknown): model is string {
  return typeof model === "string" && model.endsWith(COMPRESSED_ENDING);
}

function measured(value: unknown, standardError: unknown, where: string): Measured {
  if (value === null) {
    throw new InputError(`${where} was not finite; leave this result out`);
  }
  if (typeof value !== "number" || !(value > 0)) {
    throw new InputError(`${where} is ${value}; measure the model together with its original`);
  }
  return typeof standardError === "number" ? { value, standardError } : { value };
}
