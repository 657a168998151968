import { existsSync } from "node:fs";
import type { ByteSource } from "../../data/byte_source.ts";
import { openFile } from "../../data/file_source.ts";
import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import { openSealed, type SealedFile, writeSealed } from "../../data/sealed_safetensors.ts";
import type { TunePoint, TuneState } from "./tune.ts";

/** Value of the metadata entry `format`. */
const FORMAT = "kanpress tuning";
/** To be raised with any change of the file or of what a step does. */
export const TUNING_VERSION = "1";

/** The arrays of a state, each of as many values as are trained. */
const ARRAYS = ["parameters", "first", "second", "best"] as const;

/**
 * Keeps where tuning stands as a valid safetensors file, whole or not at all, with hashes of all that is
 * in it. `key` says what is tuned: a hash of models, text and settings.
 */
export async function writeTuneState(path: string, key: string, state: TuneState): Promise<void> {
  const { tensors, metadata } = tuneStateParts(key, state);
  await writeSealed(path, tensors, metadata);
}

/** What a file of {@linkcode writeTuneState} holds, before it is sealed. */
export function tuneStateParts(
  key: string,
  { parameters, best, adam: { step, first, second }, points }: TuneState,
): { tensors: TensorBytes[]; metadata: Record<string, string> } {
  const arrays = { parameters, first, second, best };
  const tensors = ARRAYS.map((name): TensorBytes => {
    const { buffer, byteOffset, byteLength, length } = arrays[name];
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    return { name, dtype: "F64", shape: [length], bytes };
  });
  const metadata = {
    format: FORMAT,
    version: TUNING_VERSION,
    key,
    tuning: JSON.stringify({ step, points }),
  };
  return { tensors, metadata };
}

/**
 * Reads what {@linkcode writeTuneState} wrote; undefined if there is no such file. Throws
 * {@linkcode InputError} where it is damaged, of another version, or not of this key.
 */
export async function readTuneState(path: string, key: string): Promise<TuneState | undefined> {
  return existsSync(path) ? await parseTuneState(await openFile(path), key) : undefined;
}

/** As {@linkcode readTuneState}, from any source of bytes. */
export async function parseTuneState(source: ByteSource, key: string): Promise<TuneState> {
  const file = await openSealed(source);
  const { format, version, key: found, tuning } = file.metadata;
  const fail = (what: string) => new InputError(`${source.name}: ${what}; remove it`);
  if (format !== FORMAT) throw fail("is not an unfinished tuning of kanpress");
  if (version !== TUNING_VERSION || found !== key) {
    throw fail("is a tuning of another model, text or version");
  }
  const progress = parseProgress(tuning);
  if (progress === undefined) throw fail("does not say how far tuning was");
  const { step, points } = progress;
  const arrays = await readArrays(file);
  const { parameters, first, second, best } = arrays;
  const isSound = Object.values(arrays).every((values) =>
    values.length === parameters.length && values.every(Number.isFinite)
  );
  if (!isSound || second.some((value) => value < 0)) throw fail("its values cannot be right");
  return { parameters, best, adam: { step, first, second }, points };
}

async function readArrays(
  file: SealedFile,
): Promise<Record<typeof ARRAYS[number], Float64Array>> {
  const read = async (name: string) => new Float64Array(await file.read(name, "F64"));
  return {
    parameters: await read("parameters"),
    first: await read("first"),
    second: await read("second"),
    best: await read("best"),
  };
}

/** What the JSON says, or undefined if it contradicts itself. */
function parseProgress(
  text: string | undefined,
): { readonly step: number; readonly points: readonly TunePoint[] } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { step, points } = value;
  const isStep = (number: unknown) =>
    Number.isSafeInteger(number) && Number(number) >= 0 && Number(number) <= Number(step);
  const isPoint = (point: unknown) =>
    isJsonObject(point) && isStep(point["step"]) && typeof point["loss"] === "number";
  if (!isStep(step) || !Array.isArray(points) || points.length === 0) return undefined;
  return points.every(isPoint) && points[0].step === 0
    ? { step: step as number, points: points as TunePoint[] }
    : undefined;
}
