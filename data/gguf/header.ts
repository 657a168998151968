import type { ByteSource } from "../byte_source.ts";
import { foreignKind, kindBytes } from "../file_kind.ts";
import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import { HeaderCursor, HeaderTooShort } from "./header_cursor.ts";
import type { GgufMetadata, GgufValue } from "./metadata_value.ts";
import { ggmlByteLength, type GgmlType, ggmlTypeById } from "./types.ts";

/** The letters that a GGUF file begins with. */
export const ggufMagic = "GGUF";

/** What tensors begin at multiples of, where a file does not say otherwise. */
export const defaultAlignment = 32;

/** Most bytes that a header may have; those of vocabularies of 260,000 tokens take 16 MB. */
const largestHeader = 2 ** 28;

/** Bytes that are read at first; four times as many each time that the header is longer. */
const firstRead = 2 ** 20;

/** Axes that a tensor of ggml may have. */
const mostAxes = 4;

/** A tensor of a GGUF file and where its bytes are. */
export interface GgufTensor {
  /** Name in the file, such as `blk.0.attn_q.weight`. */
  readonly name: string;
  /** How it is stored. */
  readonly type: GgmlType;
  /** Sizes of the axes, outermost first: the reverse of the file's order. */
  readonly shape: readonly number[];
  /** First byte, counted from the file's beginning. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** What a GGUF file says before its tensors' bytes. */
export interface GgufHeader {
  /** Version of the format: 2 or 3. */
  readonly version: number;
  /** Metadata by key, in the order of the file. */
  readonly metadata: GgufMetadata;
  /** Every tensor, in the order of the file. */
  readonly tensors: readonly GgufTensor[];
  /** Position of the first tensor's first byte. */
  readonly dataStart: number;
}

/**
 * Reads and checks the header of a GGUF file of version 2 or 3, little endian
 * (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), without reading any tensor.
 *
 * Throws an {@linkcode InputError} that names the file, and the key or the tensor: where the file is
 * none, is of another version or big endian, is cut off, repeats a name, has a text that is not UTF-8,
 * an alignment that is not a power of two, a type that is not known, or tensors that are not whole
 * rows of blocks, begin off the alignment, overlap, or end beyond the file. Lengths and counts are
 * compared with the bytes that are there before anything is made of their size.
 *
 * ```ts
 * import { memorySource } from "@kanpress/kanpress/data";
 * import { readGgufHeader } from "./header.ts";
 * import assert from "node:assert";
 *
 * const empty = new Uint8Array(24);
 * empty.set([0x47, 0x47, 0x55, 0x46, 3]);
 * const { version, tensors } = await readGgufHeader(memorySource(empty, "empty.gguf"));
 * assert.deepEqual([version, tensors], [3, []]);
 * ```
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  const most = Math.min(source.byteLength, largestHeader);
  let bytes = new Uint8Array(0);
  for (let wanted = Math.min(firstRead, most);;) {
    const longer = new Uint8Array(wanted);
    longer.set(bytes);
    longer.set(await source.read(bytes.length, wanted), bytes.length);
    bytes = longer;
    try {
      return parseHeader(source, bytes);
    } catch (error) {
      if (!(error instanceof HeaderTooShort)) throw error;
      if (error.needed <= most) {
        wanted = Math.min(Math.max(4 * wanted, error.needed), most);
        continue;
      }
      throw damaged(
        source.name,
        error.needed <= source.byteLength
          ? `its header is longer than ${largestHeader} bytes`
          : `its header is cut off in ${error.place}`,
        error,
      );
    }
  }
}

function parseHeader(source: ByteSource, bytes: Uint8Array): GgufHeader {
  const file = source.name;
  checkMagic(file, bytes);
  const cursor = new HeaderCursor(bytes, (problem) => damaged(file, problem));
  cursor.at("its beginning").skip(ggufMagic.length);
  const version = cursor.uint32();
  checkVersion(file, version);
  const tensorCount = cursor.at("its number of tensors").count();
  const metadataCount = cursor.at("its number of metadata").count();
  const metadata = readMetadataEntries(cursor, metadataCount);
  const alignment = alignmentOf(file, metadata);
  const infos = readTensorInfos(file, cursor, tensorCount);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = infos.map(({ offset, ...info }) => {
    return placeTensor(source, { ...info, offset, dataStart, alignment });
  });
  checkOverlaps(file, tensors);
  return { version, metadata, tensors, dataStart };
}

function checkMagic(file: string, bytes: Uint8Array): void {
  const letters = String.fromCharCode(...bytes.subarray(0, ggufMagic.length));
  if (letters === ggufMagic) return;
  const kind = foreignKind(bytes.subarray(0, kindBytes));
  throw kind === undefined
    ? damaged(file, `begins with ${quote(letters)}, not ${ggufMagic}`)
    : new InputError(`${file}: ${kind}`);
}

function checkVersion(file: string, version: number): void {
  if (version === 2 || version === 3) return;
  // Small numbers of the other byte order have their lowest byte in the highest place.
  const problem = version !== 0 && version % 2 ** 24 === 0
    ? "is big endian, which is not supported; convert it to little endian with gguf-convert-endian " +
      "of PyPI's gguf"
    : `is of GGUF version ${version}, which is not supported (2 and 3 are); make it again with a ` +
      "llama.cpp of today";
  throw new InputError(`${file}: ${problem}`);
}

function readMetadataEntries(cursor: HeaderCursor, count: number): GgufMetadata {
  const metadata = new Map<string, GgufValue>();
  for (let entry = 0; entry < count; entry++) {
    const key = cursor.at(`the name of metadata ${entry + 1} of ${count}`).text();
    cursor.at(`its metadata ${quote(key)}`);
    if (metadata.has(key)) throw cursor.fail("is there twice");
    metadata.set(key, cursor.value());
  }
  return metadata;
}

function alignmentOf(file: string, metadata: GgufMetadata): number {
  const found = metadata.get("general.alignment");
  if (found === undefined) return defaultAlignment;
  const alignment = found.type === "UINT32" ? Number(found.value) : 0;
  // A page of memory is the most that anybody aligns to.
  if (alignment > 0 && alignment <= 2 ** 20 && Number.isInteger(Math.log2(alignment))) {
    return alignment;
  }
  throw damaged(file, `its metadata "general.alignment" is not a power of two up to ${2 ** 20}`);
}

interface TensorInfo {
  readonly name: string;
  readonly type: GgmlType;
  readonly shape: readonly number[];
  readonly offset: number;
}

function readTensorInfos(file: string, cursor: HeaderCursor, count: number): TensorInfo[] {
  const infos: TensorInfo[] = [];
  const names = new Set<string>();
  for (let tensor = 0; tensor < count; tensor++) {
    const name = cursor.at(`the name of tensor ${tensor + 1} of ${count}`).text();
    cursor.at(`tensor ${quote(name)}`);
    if (names.has(name)) throw cursor.fail("is there twice");
    names.add(name);
    const axes = cursor.uint32();
    if (axes > mostAxes) throw cursor.fail(`has ${axes} axes, where ${mostAxes} are the most`);
    const shape = Array.from({ length: axes }, () => cursor.count()).reverse();
    const id = cursor.uint32();
    const type = ggmlTypeById(id);
    if (type === undefined) {
      throw new InputError(
        `${file}: tensor ${
          quote(name)
        } is of type ${id} of ggml, which is not known; take another ` +
          "quantization of the model, such as Q8_0",
      );
    }
    infos.push({ name, type, shape, offset: cursor.count() });
  }
  return infos;
}

function placeTensor(
  { name: file, byteLength }: ByteSource,
  { name, type, shape, offset, dataStart, alignment }: TensorInfo & {
    readonly dataStart: number;
    readonly alignment: number;
  },
): GgufTensor {
  const fail = (problem: string) => damaged(file, `tensor ${quote(name)} ${problem}`);
  const described = `of shape [${shape.join(", ")}]`;
  const size = ggmlByteLength(type, shape);
  if (size === undefined) {
    const { blockLength } = type;
    throw fail(
      blockLength > 1 && (shape.at(-1) ?? 1) % blockLength !== 0
        ? `${described} has rows that are not whole blocks of ${blockLength} values, as ` +
          `${type.name} has them`
        : `${described} is larger than any file`,
    );
  }
  if (offset % alignment !== 0) {
    throw fail(`begins at ${offset}, which is not a multiple of ${alignment}`);
  }
  const start = dataStart + offset, end = start + size;
  if (end > byteLength) {
    throw fail(
      `${described} is cut off: as ${type.name} it ends at ${end}, and the file has ` +
        `${byteLength} bytes`,
    );
  }
  return { name, type, shape, start, end };
}

function checkOverlaps(file: string, tensors: readonly GgufTensor[]): void {
  const placed = tensors.toSorted((a, b) => a.start - b.start || a.end - b.end);
  placed.forEach((tensor, place) => {
    const before = placed[place - 1];
    if (before === undefined || before.end <= tensor.start) return;
    throw damaged(file, `tensor ${quote(tensor.name)} overlaps ${quote(before.name)}`);
  });
}

function damaged(file: string, problem: string, cause?: unknown): InputError {
  return new InputError(
    `${file}: ${problem}; the file is damaged or was not downloaded whole: get it again`,
    { cause },
  );
}
