import type { Measured, ResultRow } from "./result_row.ts";
import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { parseJson } from "../../data/parse_json.ts";
import { isSweep, sweepRows } from "./sweep_rows.ts";

/**
 * Reads results as `compress --json`, `evaluate --json` and `sweep --json` print them: one JSON
 * object, an array of them, or one a line. Throws {@linkcode InputError} that names the file, the row
 * and what is wrong.
 */
export function parseResults(text: string, file: string): ResultRow[] {
  const rows = parseRows(text, file).flatMap((row, index) => {
    const where = `${file}: result ${index + 1}`;
    return isSweep(row) ? sweepRows(row, where) : [parseRow(row, where)];
  });
  if (rows.length === 0) throw new InputError(`${file}: has no results; measure some first`);
  return rows;
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
    model: typeof row["model"] === "string" ? row["model"] : "model",
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

/** What `evaluate --json` calls a compressed model: its file. */
function compressedName(model: unknown): model is string {
  return typeof model === "string" && model.endsWith(".kan.safetensors");
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
