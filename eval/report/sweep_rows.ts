import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import type { Measured, ResultRow } from "./result_row.ts";

/** What made a point: `gptq-3-g64` and `gptq-4-g128` are both of gptq, `q3_k` is of llama.cpp. */
export function methodOf(name: string): string {
  if (/^q\d_k$/.test(name)) return "gguf q_k";
  if (/^q\d_0$/.test(name)) return "gguf q_0";
  return name.replace(/-\d.*$/, "");
}

/** Whether a value is what `sweep --json` prints and `sweep.json` holds. */
export function isSweep(value: unknown): value is { readonly points: readonly unknown[] } {
  return isJsonObject(value) && Array.isArray(value["points"]);
}

/**
 * The points of a sweep as results; points that failed, or whose perplexity is not finite, are left out. Throws {@linkcode InputError}
 * that names the place and what is wrong.
 */
export function sweepRows(
  sweep: Readonly<Record<string, unknown>> & { readonly points: readonly unknown[] },
  where: string,
): ResultRow[] {
  const model = typeof sweep["model"] === "string" ? sweep["model"] : "model";
  const commands = Array.isArray(sweep["commands"]) ? sweep["commands"] : [];
  const original = isJsonObject(sweep["original"]) ? sweep["original"] : {};
  return sweep.points.flatMap((point, index) => {
    const place = `${where}: point ${index + 1}`;
    if (!isJsonObject(point)) throw new InputError(`${place}: is not a JSON object`);
    if (typeof point["error"] === "string" || point["perplexity"] === null) return [];
    const name = String(point["name"]);
    const bytes = positive(point, "compressedBytes", place);
    const divergence = point["klDivergence"];
    const sameTop1 = point["sameTop1"];
    return [{
      model,
      name,
      method: methodOf(name),
      parameters: Math.round(8 * bytes / positive(point, "bitsPerWeight", place)),
      compressedBytes: bytes,
      perplexity: measured(point, "perplexity", place),
      originalPerplexity: measured(original, "perplexity", `${where}: original`),
      ...(typeof divergence === "number" && divergence > 0
        ? { klDivergence: measured(point, "klDivergence", place) }
        : {}),
      ...(typeof sameTop1 === "number" ? { sameTop1 } : {}),
      commands: commands.filter((command) => typeof command === "string"),
    }];
  });
}

function measured(row: Readonly<Record<string, unknown>>, name: string, place: string): Measured {
  const standardError = row[`${name}StandardError`];
  const value = positive(row, name, place);
  return typeof standardError === "number" ? { value, standardError } : { value };
}

function positive(row: Readonly<Record<string, unknown>>, name: string, place: string): number {
  const value = row[name];
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new InputError(`${place}: lacks ${name}; give what sweep --json printed`);
}
