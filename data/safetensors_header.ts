import type { ByteSource } from "./byte_source.ts";
import { bytesPerElement, dtypes, isDType } from "./dtype.ts";
import { foreignKind, kindBytes } from "./file_kind.ts";
import { InputError } from "./input_error.ts";
import { isJsonObject } from "./json_file.ts";
import { type JsonFinding, scanJson } from "./json_scan.ts";
import { parseJson } from "./parse_json.ts";
import { quote } from "./quote.ts";
import type { TensorInfo } from "./tensor.ts";

/** Bytes of the length that a safetensors file begins with. */
export const lengthBytes = 8;

/** Most bytes that a header may have, as in the reference implementation. */
export const largestHeader = 100_000_000;

/** A tensor and where its bytes are. */
export interface SafetensorsTensor extends TensorInfo {
  /** First byte, counted from {@linkcode SafetensorsHeader.dataStart}. */
  readonly start: number;
  /** One past the last byte, counted from {@linkcode SafetensorsHeader.dataStart}. */
  readonly end: number;
}

/** What the first bytes of a safetensors file say. */
export interface SafetensorsHeader {
  /** Every tensor, in the order of their bytes. */
  readonly tensors: readonly SafetensorsTensor[];
  /** The file's `__metadata__`; empty where it has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Position in the file of the first tensor's first byte. */
  readonly dataStart: number;
}

/**
 * Reads and checks the header of a safetensors file
 * (https://huggingface.co/docs/safetensors), without reading any tensor.
 *
 * Throws an {@linkcode InputError} if the header is longer than 100 MB or than the file, is no
 * JSON object, repeats a key, has an unknown element type, offsets that disagree with the shape or
 * leave gaps, overlap, or do not end where the file ends, or metadata that are not strings.
 *
 * ```ts
 * import { encodeSafetensors, memorySource } from "@kanpress/kanpress/data";
 * import { readSafetensorsHeader } from "./safetensors_header.ts";
 * import assert from "node:assert";
 *
 * const bytes = encodeSafetensors([{ name: "a", dtype: "U8", shape: [2], bytes: Uint8Array.of(1, 2) }]);
 * const { tensors } = await readSafetensorsHeader(memorySource(bytes, "a.safetensors"));
 * assert.deepEqual(tensors, [{ name: "a", dtype: "U8", shape: [2], start: 0, end: 2 }]);
 * ```
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const headerLength = await readHeaderLength(source);
  const dataStart = lengthBytes + headerLength;
  const header = parseHeader(source.name, await source.read(lengthBytes, dataStart));
  const tensors: SafetensorsTensor[] = [];
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = parseMetadata(source.name, value);
    else tensors.push(parseTensor(source.name, name, value));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  checkOffsets(source, tensors, dataStart);
  return { tensors, metadata, dataStart };
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.byteLength < lengthBytes) {
    throw damaged(source.name, `only ${source.byteLength} bytes long`);
  }
  const start = await source.read(0, Math.min(kindBytes, source.byteLength));
  const kind = foreignKind(start);
  if (kind !== undefined) throw new InputError(`${source.name}: ${kind}`);
  const bytes = start.subarray(0, lengthBytes);
  const text = new TextDecoder().decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes);
  const length = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true);
  if (length > largestHeader) {
    throw damaged(
      source.name,
      /^[\t-\r -~]+$/.test(text)
        ? `begins with the text ${quote(text)}`
        : `its header would be ${view.getBigUint64(0, true)} bytes, where 100 MB is the limit`,
    );
  }
  const room = source.byteLength - lengthBytes;
  if (length > room) {
    throw damaged(source.name, `its header should have ${length} bytes, and ${room} are there`);
  }
  return length;
}

function parseHeader(file: string, bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw damaged(file, "its header does not begin with {");
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = parseJson(text);
  } catch {
    throw damaged(file, "its header is not valid JSON in UTF-8");
  }
  if (!isJsonObject(header)) throw damaged(file, "its header is not a JSON object");
  const finding = scanJson(text);
  if (finding !== undefined) throw damaged(file, describeFinding(finding));
  return header;
}

function describeFinding({ kind, text, path }: JsonFinding): string {
  const place = path.length === 0 ? "" : ` in ${quote(path.join("."))}`;
  if (kind === "duplicate") return `its header has the key ${quote(text)} twice${place}`;
  if (kind === "surrogate") return `its header has the string ${quote(text)}${place}, not Unicode`;
  return `its header has the number ${text}${place}, which is not a plain natural number`;
}

function parseMetadata(file: string, value: unknown): Record<string, string> {
  if (value === null) return {};
  if (!isJsonObject(value)) throw damaged(file, "its __metadata__ is not a JSON object");
  const metadata: [string, string][] = [];
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== "string") {
      throw damaged(file, `its __metadata__ entry ${quote(key)} is not a string`);
    }
    metadata.push([key, entry]);
  }
  return Object.fromEntries(metadata);
}

function parseTensor(file: string, name: string, value: unknown): SafetensorsTensor {
  const fail = (problem: string) => damaged(file, `tensor ${quote(name)} ${problem}`);
  if (!isJsonObject(value)) throw fail("has no description");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw fail("has no dtype");
  if (!isDType(dtype)) {
    throw new InputError(
      `${file}: tensor ${quote(name)} has dtype ${quote(dtype)}, which is not known; ` +
        `convert it to one of ${dtypes.join(", ")}`,
    );
  }
  if (!isNaturalArray(shape)) throw fail("has a shape that is not a list of sizes");
  if (!isNaturalArray(offsets) || offsets.length !== 2) throw fail("has no two data_offsets");
  const [start, end] = offsets as [number, number];
  if (end < start) throw fail(`ends at ${end}, before it starts at ${start}`);
  const size = byteSize(shape, bytesPerElement(dtype));
  if (size !== end - start) {
    throw fail(
      `of shape [${shape.join(", ")}] needs ${size ?? "too many"} bytes as ${dtype}, ` +
        `and has ${end - start}`,
    );
  }
  return { name, dtype, shape, start, end };
}

/** Bytes of a tensor; undefined if a partial product is beyond 2^53, as if it overflowed. */
function byteSize(shape: readonly number[], elementBytes: number): number | undefined {
  let size = elementBytes;
  for (const extent of shape) {
    size *= extent;
    if (!Number.isSafeInteger(size)) return undefined;
  }
  return size;
}

function checkOffsets(
  source: ByteSource,
  tensors: readonly SafetensorsTensor[],
  dataStart: number,
): void {
  let end = 0;
  for (const tensor of tensors) {
    if (tensor.start !== end) {
      const problem = tensor.start > end ? "leaves a gap" : "overlaps the one before";
      throw damaged(
        source.name,
        `tensor ${quote(tensor.name)} ${problem}: it starts at ${tensor.start}, not ${end}`,
      );
    }
    end = tensor.end;
  }
  const available = source.byteLength - dataStart;
  if (end === available) return;
  const last = tensors.findLast((tensor) => tensor.end > available) ?? tensors.at(-1);
  const problem = end > available
    ? `tensor ${quote(last?.name ?? "")} is cut off: ${end} bytes of tensors are announced`
    : `the tensors end after ${end} bytes`;
  throw damaged(source.name, `${problem}, and the file has ${available}`);
}

function isNaturalArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function damaged(file: string, problem: string): InputError {
  return new InputError(
    `${file}: ${problem}; the file is damaged or not a safetensors file: get it again`,
  );
}
