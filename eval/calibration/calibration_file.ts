import { existsSync } from "node:fs";
import { openFile } from "../../data/file_source.ts";
import { InputError } from "../../data/input_error.ts";
import { openSafetensors, type SafetensorsFile } from "../../data/safetensors_file.ts";
import { writeSafetensors } from "../../data/safetensors_write.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import type { PackedCalibration, PackedLinear, PackedMoment } from "./packed_calibration.ts";

/** A calibration and the text that it comes from. */
export interface KeptCalibration {
  /** The statistics. */
  readonly calibration: PackedCalibration;
  /** The text, tokenized. */
  readonly tokens: Int32Array;
}

/** Value of the metadata entry `format`. */
const FORMAT = "kanpress calibration";
/**
 * To be raised with any change of the file or of what calibration computes: an older entry would be
 * taken for a new one otherwise, because keys are of what goes in.
 */
export const CALIBRATION_VERSION = "3";

/** The part of a calibration that is JSON. */
interface Described {
  readonly tokens: number;
  readonly contextLength: number;
  readonly moments: readonly number[];
  readonly linears: readonly Omit<PackedLinear, "fisher">[];
  readonly embeddingMoment?: number;
}

/**
 * Keeps a calibration as a valid safetensors file, whole or not at all. `key` says what it is of:
 * a hash of weights, text and settings. Second moments take 2 bytes for each pair of inputs.
 */
export async function writeCalibration(
  path: string,
  key: string,
  { calibration, tokens }: KeptCalibration,
): Promise<void> {
  const { moments, linears, tokenFrequencies, embeddingMoment } = calibration;
  const tensors = [
    tensor("tokens", "I32", tokens),
    tensor("tokenFrequencies", "F64", tokenFrequencies),
    ...moments.map(({ triangle }, i) => tensor(`moments.${i}`, "F32", triangle)),
    ...linears.flatMap(({ fisher }, i) =>
      fisher === undefined ? [] : [tensor(`fisher.${i}`, "F64", fisher)]
    ),
  ];
  const described: Described = {
    tokens: calibration.tokens,
    contextLength: calibration.contextLength,
    moments: moments.map(({ size }) => size),
    linears: linears.map(({ fisher: _, ...linear }) => linear),
    ...(embeddingMoment !== undefined && { embeddingMoment }),
  };
  const calibrationText = JSON.stringify(described);
  const hashes: Record<string, string> = { calibration: await sha256(encode(calibrationText)) };
  for (const { name, bytes } of tensors) hashes[name] = await sha256(bytes);
  await writeSafetensors(path, tensors, {
    format: FORMAT,
    version: CALIBRATION_VERSION,
    key,
    calibration: calibrationText,
    sha256: JSON.stringify(hashes),
  });
}

/**
 * Reads what {@linkcode writeCalibration} wrote; undefined where there is no such file. Throws
 * {@linkcode InputError} where it is damaged, of another version, or not of this key.
 */
export async function readCalibration(
  path: string,
  key: string,
): Promise<KeptCalibration | undefined> {
  if (!existsSync(path)) return undefined;
  const file = await openSafetensors(await openFile(path));
  const { format, version, key: found, calibration = "", sha256: hashes = "" } = file.metadata;
  const fail = (what: string) => new InputError(`${path}: ${what}; remove it`);
  if (format !== FORMAT) throw fail("is no calibration of kanpress");
  if (version !== CALIBRATION_VERSION || found !== key) {
    throw fail("is a calibration of another model, text or version");
  }
  try {
    const expected: Record<string, string> = JSON.parse(hashes);
    if (await sha256(encode(calibration)) !== expected["calibration"]) throw new Error("hash");
    const read = (name: string) => readChecked(file, name, expected[name]);
    return await unpackFile(JSON.parse(calibration), file, read);
  } catch (error) {
    throw fail(`is damaged (${error instanceof Error ? error.message : error})`);
  }
}

async function unpackFile(
  { tokens, contextLength, moments: sizes, linears, embeddingMoment }: Described,
  file: SafetensorsFile,
  read: (name: string) => Promise<ArrayBuffer>,
): Promise<KeptCalibration> {
  const has = (name: string) => file.tensors.some((tensor) => tensor.name === name);
  const moments: PackedMoment[] = [];
  for (const [i, size] of sizes.entries()) {
    moments.push({ size, triangle: new Float32Array(await read(`moments.${i}`)) });
  }
  const kept: PackedLinear[] = [];
  for (const [i, linear] of linears.entries()) {
    const name = `fisher.${i}`;
    kept.push({ ...linear, ...(has(name) && { fisher: new Float64Array(await read(name)) }) });
  }
  return {
    tokens: new Int32Array(await read("tokens")),
    calibration: {
      tokens,
      contextLength,
      moments,
      linears: kept,
      tokenFrequencies: new Float64Array(await read("tokenFrequencies")),
      ...(embeddingMoment !== undefined && { embeddingMoment }),
    },
  };
}

/** A tensor's bytes in memory of their own, after their hash was checked. */
async function readChecked(
  file: SafetensorsFile,
  name: string,
  hash: string | undefined,
): Promise<ArrayBuffer> {
  const bytes = (await file.readBytes(name)).slice();
  if (await sha256(bytes) !== hash) throw new Error(`tensor ${name} does not fit its SHA-256`);
  return bytes.buffer;
}

function tensor(
  name: string,
  dtype: "F32" | "F64" | "I32",
  values: Float32Array | Float64Array | Int32Array,
): TensorBytes {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype, shape: [values.length], bytes };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toHex();
}
