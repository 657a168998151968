import type { ByteSource } from "../byte_source.ts";
import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";
import { elementCount } from "../tensor.ts";
import { dequantize, isReadable, unreadable } from "./dequantize.ts";
import { type GgufTensor, readGgufHeader } from "./header.ts";
import { type MetadataReader, readMetadata } from "./metadata_value.ts";

/** Values that are dequantized at once: what is read beside the result stays small. */
const piece = 2 ** 20;

/** An open GGUF model, of one file or several; tensors are read when asked for. */
export interface GgufFile {
  /** What the first file says of the model. */
  readonly metadata: MetadataReader;
  /** Every tensor, in the order of the files. */
  readonly tensors: readonly GgufTensor[];
  /** Bytes of all files. */
  readonly byteLength: number;
  /** Reads a tensor's values, in the order of the file. */
  read(tensor: GgufTensor): Promise<Float32Array>;
  /** Reads some rows of a tensor, given by ascending numbers, and no other bytes. */
  readRows(tensor: GgufTensor, rows: Int32Array): Promise<Float32Array>;
  /** Name of the file that a tensor is in. */
  fileOf(tensor: GgufTensor): string;
}

/**
 * Opens a GGUF model from its file, or from all of the files that it is split over, in their order.
 * Only headers are read. Throws {@linkcode InputError} as {@linkcode readGgufHeader} does, where
 * parts do not belong together, and where a tensor is of a type that is not read.
 */
export async function openGguf(parts: readonly ByteSource[]): Promise<GgufFile> {
  const places = new Map<GgufTensor, ByteSource>();
  const names = new Set<string>();
  let metadata: MetadataReader | undefined;
  for (const [part, source] of parts.entries()) {
    const header = await readGgufHeader(source);
    const own = readMetadata(source.name, header.metadata);
    metadata ??= own;
    checkPart(own, part, parts.length);
    for (const tensor of header.tensors) {
      const where = `${source.name}: tensor ${quote(tensor.name)}`;
      if (!isReadable(tensor.type)) throw unreadable(tensor.type, where);
      if (names.has(tensor.name)) {
        throw new InputError(`${where}: is in another part too; get all parts again`);
      }
      names.add(tensor.name);
      places.set(tensor, source);
    }
  }
  if (metadata === undefined) throw new RangeError("a model has at least one file");
  checkComplete(metadata, names.size);

  async function fill(target: Float32Array, tensor: GgufTensor, first: number): Promise<void> {
    const source = places.get(tensor)!;
    const { type, start } = tensor;
    const { blockLength, blockBytes } = type;
    const where = `${source.name}: tensor ${quote(tensor.name)}`;
    for (let at = 0; at < target.length; at += piece) {
      const count = Math.min(piece, target.length - at);
      const from = start + (first + at) / blockLength * blockBytes;
      const bytes = await source.read(from, from + count / blockLength * blockBytes);
      target.set(dequantize(type, bytes, where, first + at), at);
    }
  }

  return {
    metadata,
    tensors: [...places.keys()],
    byteLength: parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
    async read(tensor) {
      const data = new Float32Array(elementCount(tensor.shape));
      await fill(data, tensor, 0);
      return data;
    },
    async readRows(tensor, rows) {
      const size = elementCount(tensor.shape.slice(1));
      const data = new Float32Array(rows.length * size);
      for (let row = 0; row < rows.length;) {
        // Rows that follow each other are read at once.
        let end = row + 1;
        while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
        await fill(data.subarray(row * size, end * size), tensor, rows[row]! * size);
        row = end;
      }
      return data;
    },
    fileOf: (tensor) => places.get(tensor)!.name,
  };
}

/** Throws where a file is not the part that its place makes it. */
function checkPart(metadata: MetadataReader, part: number, parts: number): void {
  const count = metadata.count("split.count") ?? 1;
  const number = metadata.count("split.no") ?? 0;
  if (Math.max(count, 1) === parts && number === part) return;
  throw new InputError(
    `${metadata.file}: is part ${number + 1} of ${count} by its metadata, where part ${
      part + 1
    } of ` +
      `${parts} was expected; get all parts of one model`,
  );
}

function checkComplete(metadata: MetadataReader, found: number): void {
  const expected = metadata.count("split.tensors.count");
  if (expected === undefined || expected === found) return;
  throw new InputError(
    `${metadata.file}: counts ${expected} tensors in all parts, which have ${found}; get all parts ` +
      "of one model",
  );
}
