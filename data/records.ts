import { type AsyncBuffer, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { type ByteSource, readAll } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { isJsonObject } from "./json_file.ts";
import { parseJson } from "./parse_json.ts";

/** One entry of a data set: its fields by name. */
export type DataRecord = Readonly<Record<string, unknown>>;

/** Largest data set that is read, since it is held in memory whole. */
const LARGEST_BYTES = 2 ** 30;

/**
 * Reads a data set: Parquet, JSON Lines, or a JSON array of objects, told apart by how the file
 * begins. Throws {@linkcode InputError} if it is none of them.
 *
 * ```ts
 * import { memorySource, readRecords } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const bytes = new TextEncoder().encode('{"text":"a"}\n{"text":"b"}\n');
 * const records = await readRecords(memorySource(bytes, "set.jsonl"));
 * assert.deepEqual(records.map(({ text }) => text), ["a", "b"]);
 * ```
 */
export async function readRecords(source: ByteSource): Promise<DataRecord[]> {
  const magic = await source.read(0, Math.min(4, source.byteLength));
  const isParquet = new TextDecoder().decode(magic) === "PAR1";
  if (!isParquet && source.name.endsWith(".parquet")) {
    throw new InputError(
      `${source.name}: is not a Parquet file; get it again, or rename JSON Lines`,
    );
  }
  const records = isParquet
    ? await readParquet(source)
    : readJson(source.name, await readText(source));
  if (records.length === 0) throw new InputError(`${source.name}: has no records; give another`);
  return records;
}

async function readParquet(source: ByteSource): Promise<DataRecord[]> {
  const file: AsyncBuffer = {
    byteLength: source.byteLength,
    async slice(start, end = source.byteLength) {
      const from = start < 0 ? source.byteLength + start : start;
      return (await source.read(from, end)).slice().buffer;
    },
  };
  let rows: Record<string, unknown>[];
  try {
    rows = await parquetReadObjects({ file, compressors });
  } catch (error) {
    if (error instanceof InputError) throw error;
    const detail = error instanceof Error ? error.message.replaceAll(/\s+/g, " ") : String(error);
    throw new InputError(`${source.name}: is not a sound Parquet file (${detail}); get it again`, {
      cause: error,
    });
  }
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
  );
}

/** 64-bit integers, which labels often are, as numbers. */
function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

async function readText(source: ByteSource): Promise<string> {
  const bytes = await readAll(source, LARGEST_BYTES);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${source.name}: is neither Parquet nor UTF-8 text; check the file`, {
      cause: error,
    });
  }
}

function readJson(name: string, text: string): DataRecord[] {
  if (text.trimStart().startsWith("[")) {
    const list = parse(text, name);
    if (Array.isArray(list) && list.every(isJsonObject)) return list;
    throw new InputError(`${name}: should be a list of JSON objects; check the file`);
  }
  const records: DataRecord[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const record = parse(line, `${name}: line ${index + 1}`);
    if (!isJsonObject(record)) {
      throw new InputError(`${name}: line ${index + 1} is not a JSON object; give JSON Lines`);
    }
    records.push(record);
  });
  return records;
}

function parse(text: string, where: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new InputError(`${where}: is not valid JSON; give JSON Lines or Parquet`, {
      cause: error,
    });
  }
}
