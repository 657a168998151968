import { type ByteSource, readAll } from "./byte_source.ts";
import { foreignKind } from "./file_kind.ts";
import { InputError } from "./input_error.ts";
import { parseJson } from "./parse_json.ts";

/** Reads a JSON file that must hold an object; throws an {@linkcode InputError} otherwise. */
export async function readJsonObject(source: ByteSource): Promise<Record<string, unknown>> {
  const bytes = await readAll(source);
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    const kind = foreignKind(bytes);
    if (kind !== undefined) throw new InputError(`${source.name}: ${kind}`, { cause: error });
    const detail = error instanceof SyntaxError ? error.message : "it is not UTF-8";
    throw new InputError(
      `${source.name}: is not valid JSON (${detail.replaceAll(/\s+/g, " ")}); ` +
        `repair it or get it again`,
      { cause: error },
    );
  }
  if (isJsonObject(value)) return value;
  throw new InputError(`${source.name}: should be a JSON object; repair it or get it again`);
}

/** Whether a parsed JSON value is an object, not an array or null. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
