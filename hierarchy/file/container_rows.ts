import { isDType } from "../../data/dtype.ts";
import type { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import { parseJson } from "../../data/parse_json.ts";
import { quote, quoteValue } from "../../data/quote.ts";
import { elementCount } from "../../data/tensor.ts";
import type { LevelParameters } from "../levels/level.ts";
import { isCoded } from "./plan_tensors.ts";
import { type StoredTensor, type TensorRow, unfoldTensors } from "./tensor_names.ts";

// What a file may claim, beyond what any model has: what follows from it is allocated.
/** Most layers that a row of the header stands for. */
const MOST_LAYERS = 100_000;
/** Most tensors. */
const MOST_TENSORS = 2 ** 17;
/** Most characters of all tensors' names. */
const MOST_CHARACTERS = 2 ** 26;
/** Most axes of a tensor. */
const MOST_AXES = 16;
/** Most values of all tensors, and of what one axis runs over. */
const MOST_VALUES = 2 ** 34;
/** Most stages, and most levels of one. */
const MOST_STAGES = 4, MOST_LEVELS = 16;

/** Makes the error for something that is wrong with a file. */
export type Fail = (what: string) => InputError;

/** A level as the header lists it. */
export interface LevelRow {
  readonly kind: string;
  readonly parameters: LevelParameters;
  readonly streams: readonly string[];
}

/** The JSON object of a metadata entry. */
export function parseObject(
  text: string | undefined,
  key: string,
  fail: Fail,
): Readonly<Record<string, unknown>> {
  const value = parseEntry(text, key, fail);
  if (!isJsonObject(value)) throw fail(`metadata ${key} is not a JSON object`);
  return value;
}

function parseEntry(text: string | undefined, key: string, fail: Fail): unknown {
  try {
    return parseJson(text ?? "");
  } catch {
    throw fail(`metadata ${key} is not JSON`);
  }
}

/** The tensors that the header lists: every name once, nothing larger than any model is. */
export function parseTensors(text: string | undefined, fail: Fail): StoredTensor[] {
  const rows = parseEntry(text, "tensors", fail);
  if (!Array.isArray(rows)) throw fail("metadata tensors is not a list");
  let count = 0, characters = 0, values = 0;
  for (const row of rows) {
    if (!isTensorRow(row)) throw fail(`metadata tensors: row ${quoteValue(row)} is not understood`);
    if (!isTensorName(row.name)) throw fail(`a tensor cannot have the name ${quote(row.name)}`);
    const layers = row.count ?? 1;
    const own = elementCount(row.shape);
    count += layers;
    characters += layers * row.name.length;
    values += layers * own;
    if (!(values <= MOST_VALUES)) {
      throw fail(`claims ${values} values up to tensor ${quote(row.name)}, more than any model`);
    }
    if (count > MOST_TENSORS) {
      throw fail(`claims ${count} tensors up to ${quote(row.name)}, more than any model`);
    }
    if (characters > MOST_CHARACTERS) throw fail(`has a name of ${row.name.length} characters`);
    if (row.stored === undefined && !isCoded(row.shape)) {
      throw fail(`tensor ${quote(row.name)} of shape [${row.shape}] cannot be coded by levels`);
    }
  }
  if (values === 0) throw fail("holds no weights");
  const tensors = unfoldTensors(rows);
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw fail(`lists tensor ${quote(name)} twice`);
    names.add(name);
  }
  return tensors;
}

function isTensorRow(row: unknown): row is TensorRow {
  if (!isJsonObject(row)) return false;
  const { name, dtype, shape, stored, transposed, count = 1 } = row;
  return typeof name === "string" && isKnownDType(dtype) &&
    (stored === undefined || isKnownDType(stored)) &&
    (transposed === undefined || transposed === true) && isSize(count, MOST_LAYERS) && count > 0 &&
    Array.isArray(shape) && shape.length <= MOST_AXES &&
    shape.every((size) => isSize(size, MOST_VALUES));
}

function isKnownDType(value: unknown): boolean {
  return typeof value === "string" && isDType(value);
}

function isSize(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

/** Whether a tensor of this name can be written to safetensors, and shown. */
function isTensorName(name: string): boolean {
  return name !== "__metadata__" && !/\p{Cc}/u.test(name) && name.isWellFormed();
}

/** Tied tensors: names that no other tensor has, each with the tensor that holds its values. */
export function parseAliases(
  text: string | undefined,
  tensors: readonly StoredTensor[],
  fail: Fail,
): Map<string, string> {
  const names = new Set(tensors.map(({ name }) => name));
  const aliases = new Map<string, string>();
  for (const [name, target] of Object.entries(parseObject(text ?? "{}", "aliases", fail))) {
    if (names.has(name)) throw fail(`tensor ${quote(name)} is both listed and tied to another`);
    if (!isTensorName(name)) throw fail(`a tensor cannot have the name ${quote(name)}`);
    if (typeof target !== "string" || !names.has(target)) {
      throw fail(`tensor ${quote(name)} is tied to ${quoteValue(target)}, which it lacks`);
    }
    aliases.set(name, target);
  }
  return aliases;
}

/** The levels of every stage. */
export function parseStages(text: string | undefined, fail: Fail): LevelRow[][] {
  const stages = parseEntry(text, "stages", fail);
  if (!Array.isArray(stages) || stages.length > MOST_STAGES) {
    throw fail(`metadata stages is not a list of at most ${MOST_STAGES}`);
  }
  return stages.map((stage, i) => {
    if (!Array.isArray(stage) || stage.length === 0 || stage.length > MOST_LEVELS) {
      throw fail(`metadata stages: stage ${i + 1} is not a list of 1 to ${MOST_LEVELS} levels`);
    }
    return stage.map((row) => {
      if (isLevelRow(row)) return row;
      throw fail(`metadata stages: row ${quoteValue(row)} is not understood`);
    });
  });
}

function isLevelRow(row: unknown): row is LevelRow {
  return isJsonObject(row) && typeof row.kind === "string" && isJsonObject(row.parameters) &&
    Array.isArray(row.streams) && row.streams.every((name) => typeof name === "string");
}
