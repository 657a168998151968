import { existsSync } from "node:fs";
import type { ByteSource } from "../../data/byte_source.ts";
import { openFile } from "../../data/file_source.ts";
import { InputError } from "../../data/input_error.ts";
import { isJsonObject } from "../../data/json_file.ts";
import type { TensorBytes } from "../../data/safetensors_encode.ts";
import { openSealed, type SealedFile, writeSealed } from "../../data/sealed_safetensors.ts";
import { triangleSize } from "../../hierarchy/matrix/triangle.ts";
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
export const CALIBRATION_VERSION = "5";

/** The part of a calibration that is JSON. */
interface Described {
  readonly tokens: number;
  readonly contextLength: number;
  readonly loss?: number;
  readonly moments: readonly number[];
  readonly linears: readonly DescribedLinear[];
  readonly embeddingMoment?: number;
}

/** As a {@linkcode PackedLinear}, and whether a tensor holds its Fisher information. */
type DescribedLinear = Omit<PackedLinear, "fisher"> & { readonly fisher: boolean };

/**
 * Keeps a calibration as a valid safetensors file, whole or not at all, with hashes of all that is
 * in it. `key` says what it is of: a hash of weights, text and settings. Second moments take 2 bytes
 * for each pair of inputs.
 */
export async function writeCalibration(
  path: string,
  key: string,
  kept: KeptCalibration,
): Promise<void> {
  const { tensors, metadata } = calibrationParts(key, kept);
  await writeSealed(path, tensors, metadata);
}

/** What a file of {@linkcode writeCalibration} holds, before it is sealed. */
export function calibrationParts(
  key: string,
  { calibration, tokens }: KeptCalibration,
): { tensors: TensorBytes[]; metadata: Record<string, string> } {
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
    ...(calibration.loss !== undefined && { loss: calibration.loss }),
    moments: moments.map(({ size }) => size),
    linears: linears.map(({ fisher, ...linear }) => ({ ...linear, fisher: fisher !== undefined })),
    ...(embeddingMoment !== undefined && { embeddingMoment }),
  };
  const calibrationText = JSON.stringify(described);
  const metadata = {
    format: FORMAT,
    version: CALIBRATION_VERSION,
    key,
    calibration: calibrationText,
  };
  return { tensors, metadata };
}

/**
 * Reads what {@linkcode writeCalibration} wrote; undefined if there is no such file. Throws
 * {@linkcode InputError} where it is damaged, of another version, or not of this key.
 */
export async function readCalibration(
  path: string,
  key: string,
): Promise<KeptCalibration | undefined> {
  return existsSync(path) ? await parseCalibration(await openFile(path), key) : undefined;
}

/** As {@linkcode readCalibration}, from any source of bytes. */
export async function parseCalibration(source: ByteSource, key: string): Promise<KeptCalibration> {
  const file = await openSealed(source);
  const { format, version, key: found, calibration } = file.metadata;
  const fail = (what: string) => new InputError(`${source.name}: ${what}; remove it`);
  if (format !== FORMAT) throw fail("is not a calibration of kanpress");
  if (version !== CALIBRATION_VERSION || found !== key) {
    throw fail("is a calibration of another model, text or version");
  }
  const described = parseDescribed(calibration);
  if (described === undefined) throw fail("does not describe a calibration");
  return await unpackFile(described, file, (what) => fail(`its ${what} cannot be right`));
}

/** What the JSON says, or undefined if it contradicts itself. */
function parseDescribed(text: string | undefined): Described | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { tokens, contextLength, loss, moments, linears, embeddingMoment } = value;
  const isCount = (count: unknown) => Number.isSafeInteger(count) && Number(count) >= 0;
  const isMoment = (index: unknown) =>
    Array.isArray(moments) && isCount(index) && Number(index) < moments.length;
  const isBlock = (block: unknown) =>
    isJsonObject(block) && isCount(block["start"]) && isMoment(block["moment"]);
  const isLinear = (linear: unknown) => {
    if (!isJsonObject(linear)) return false;
    const { weight, moment, inputAxis, fisher, outputMoments = [] } = linear;
    return typeof weight === "string" && isMoment(moment) &&
      (inputAxis === 0 || inputAxis === 1) && typeof fisher === "boolean" &&
      Array.isArray(outputMoments) && outputMoments.every(isBlock);
  };
  const sound = isCount(tokens) && isCount(contextLength) && Array.isArray(moments) &&
    (loss === undefined || typeof loss === "number" && loss >= 0 && loss < Infinity) &&
    moments.every(isCount) && Array.isArray(linears) && linears.every(isLinear) &&
    (embeddingMoment === undefined || isMoment(embeddingMoment));
  return sound ? value as unknown as Described : undefined;
}

async function unpackFile(
  { tokens, contextLength, loss, moments: sizes, linears, embeddingMoment }: Described,
  file: SealedFile,
  fail: (what: string) => InputError,
): Promise<KeptCalibration> {
  const moments: PackedMoment[] = [];
  for (const [i, size] of sizes.entries()) {
    const triangle = new Float32Array(await file.read(`moments.${i}`, "F32"));
    if (triangle.length !== triangleSize(size)) throw fail(`moment ${i}`);
    moments.push({ size, triangle });
  }
  const kept: PackedLinear[] = [];
  for (const [i, { fisher: hasFisher, ...linear }] of linears.entries()) {
    const fisher = hasFisher && new Float64Array(await file.read(`fisher.${i}`, "F64"));
    kept.push({ ...linear, ...(fisher && { fisher }) });
  }
  return {
    tokens: new Int32Array(await file.read("tokens", "I32")),
    calibration: {
      tokens,
      contextLength,
      ...(loss !== undefined && { loss }),
      moments,
      linears: kept,
      tokenFrequencies: new Float64Array(await file.read("tokenFrequencies", "F64")),
      ...(embeddingMoment !== undefined && { embeddingMoment }),
    },
  };
}

function tensor(
  name: string,
  dtype: "F32" | "F64" | "I32",
  values: Float32Array | Float64Array | Int32Array,
): TensorBytes {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype, shape: [values.length], bytes };
}
