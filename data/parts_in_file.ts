import { fromBase64, toHex } from "./base64.ts";
import {
  byteLengthOf,
  bytesOf,
  type FileArray,
  FileArrayWriter,
  type KeptBytes,
  readFileBytes,
  sha256Now,
} from "./file_array.ts";
import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { sha256 } from "./sha256.ts";

/** Bytes in a file. */
type PartInFile = FileArray<"Uint8Array">;

/**
 * Parts of a file by name, such as code streams, that there is not memory enough for: each is read, and
 * its hash checked, whenever it is asked for.
 */
export class PartsInFile implements ReadonlyMap<string, Uint8Array> {
  readonly #places: ReadonlyMap<string, PartInFile>;

  /** Parts at places in files. */
  constructor(places: ReadonlyMap<string, PartInFile>) {
    this.#places = places;
  }

  /** Number of parts. */
  get size(): number {
    return this.#places.size;
  }

  /** Whether there is a part of this name. */
  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Bytes of a part, which is not read for that. */
  lengthOf(name: string): number | undefined {
    return this.#places.get(name)?.length;
  }

  /** Where a part is. */
  placeOf(name: string): PartInFile | undefined {
    return this.#places.get(name);
  }

  /** Reads a part; throws {@linkcode InputError} that names the file if it is no longer there. */
  get(name: string): Uint8Array | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    const bytes = bytesOf(place);
    if (sha256Now(bytes) !== place.sha256) {
      throw new InputError(`${place.file}: was changed while it was being read; start again`);
    }
    return bytes;
  }

  /** The parts' names. */
  keys(): MapIterator<string> {
    return this.#places.keys();
  }

  /** The parts, one after another. */
  *values(): MapIterator<Uint8Array> {
    for (const [, bytes] of this) yield bytes;
  }

  /** Names and parts, one after another. */
  *entries(): MapIterator<[string, Uint8Array]> {
    for (const name of this.#places.keys()) yield [name, this.get(name)!];
  }

  /** As {@linkcode PartsInFile.entries}. */
  [Symbol.iterator](): MapIterator<[string, Uint8Array]> {
    return this.entries();
  }

  /** Calls `visit` with each part. */
  forEach(
    visit: (bytes: Uint8Array, name: string, all: ReadonlyMap<string, Uint8Array>) => void,
  ): void {
    for (const [name, bytes] of this) visit(bytes, name, this);
  }
}

/** Where parts of a source are: their SHA-256 is in base64. */
type Places = Parameters<NonNullable<ByteSource["readParts"]>>[0];

/** Parts of the bytes that a file has from `offset` on. */
export function partsIn(file: string, offset: number, places: Places): PartsInFile {
  const parts = new Map<string, PartInFile>();
  for (const [name, { start, end, sha256 }] of places) {
    const place = { file, start: offset + start, length: end - start };
    parts.set(name, { ...place, kind: "Uint8Array", sha256: toHex(fromBase64(sha256)) });
  }
  return new PartsInFile(parts);
}

/** The bytes of an array in a file as a source, with a name for messages. */
export function fileArraySource(array: FileArray, name: string): ByteSource {
  return {
    name,
    byteLength: byteLengthOf(array),
    readParts: (places) => partsIn(array.file, array.start, places),
    read(start, end) {
      const bytes = new Uint8Array(end - start);
      readFileBytes(array, start, bytes);
      return Promise.resolve(bytes);
    },
  };
}

/** Parts where they are, by name; those in files are not read. */
export function* keptParts(
  parts: ReadonlyMap<string, Uint8Array>,
): Generator<readonly [name: string, kept: KeptBytes], void> {
  for (const name of parts.keys()) {
    yield [name, parts instanceof PartsInFile ? parts.placeOf(name)! : parts.get(name)!];
  }
}

/** Writes parts one after another to a file. */
export class PartWriter {
  readonly #file: string;
  readonly #writer: FileArrayWriter<"Uint8Array">;
  readonly #places = new Map<string, PartInFile>();
  #end = 0;

  /** Makes the file, or empties it; throws {@linkcode InputError} where that cannot be. */
  constructor(file: string) {
    this.#file = file;
    this.#writer = new FileArrayWriter(file, "Uint8Array");
  }

  /** Writes a part; throws {@linkcode InputError} where the disk is full. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    const hash = toHex(fromBase64(await sha256(bytes)));
    this.#writer.write(bytes);
    const place = { file: this.#file, start: this.#end, length: bytes.length, sha256: hash };
    this.#places.set(name, { ...place, kind: "Uint8Array" });
    this.#end += bytes.length;
  }

  /** Closes the file; to be called once, where all is written or nothing more will be. */
  close(): void {
    this.#writer.close();
  }

  /** The parts, in the order in which they were written. */
  parts(): PartsInFile {
    return new PartsInFile(this.#places);
  }
}
