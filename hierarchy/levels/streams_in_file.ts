import { fromBase64, toHex } from "../../data/base64.ts";
import {
  byteLengthOf,
  bytesOf,
  type FileArray,
  FileArrayWriter,
  type KeptBytes,
  sha256Now,
} from "../../data/file_array.ts";
import { InputError } from "../../data/input_error.ts";
import { sha256 } from "../../data/sha256.ts";

/** A code stream in a file. */
type StreamInFile = FileArray<"Uint8Array">;

/**
 * Code streams by name that are in a file, because there is not memory enough for all of them: each is
 * read, and its hash checked, whenever it is asked for.
 */
export class StreamsInFile implements ReadonlyMap<string, Uint8Array> {
  readonly #places: ReadonlyMap<string, StreamInFile>;

  /** Streams at places in files. */
  constructor(places: ReadonlyMap<string, StreamInFile>) {
    this.#places = places;
  }

  /** Number of streams. */
  get size(): number {
    return this.#places.size;
  }

  /** Whether there is a stream of this name. */
  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** Where a stream is. */
  placeOf(name: string): StreamInFile | undefined {
    return this.#places.get(name);
  }

  /** Reads a stream; throws {@linkcode InputError} that names the file if it is no longer there. */
  get(name: string): Uint8Array | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    const bytes = bytesOf(place);
    if (sha256Now(bytes) !== place.sha256) {
      throw new InputError(`${place.file}: was changed while it was being read; start again`);
    }
    return bytes;
  }

  /** The streams' names. */
  keys(): MapIterator<string> {
    return this.#places.keys();
  }

  /** The streams, one after another. */
  *values(): MapIterator<Uint8Array> {
    for (const [, bytes] of this) yield bytes;
  }

  /** Names and streams, one after another. */
  *entries(): MapIterator<[string, Uint8Array]> {
    for (const name of this.#places.keys()) yield [name, this.get(name)!];
  }

  /** As {@linkcode StreamsInFile.entries}. */
  [Symbol.iterator](): MapIterator<[string, Uint8Array]> {
    return this.entries();
  }

  /** Calls `visit` with each stream. */
  forEach(
    visit: (bytes: Uint8Array, name: string, all: ReadonlyMap<string, Uint8Array>) => void,
  ): void {
    for (const [name, bytes] of this) visit(bytes, name, this);
  }
}

/** Streams of a level where they are, by name; those in files are not read. */
export function* keptStreams(
  streams: ReadonlyMap<string, Uint8Array>,
): Generator<readonly [name: string, kept: KeptBytes], void> {
  for (const name of streams.keys()) {
    yield [name, streams instanceof StreamsInFile ? streams.placeOf(name)! : streams.get(name)!];
  }
}

/** Bytes of all streams. */
export function bytesOfStreams(streams: ReadonlyMap<string, Uint8Array>): number {
  let bytes = 0;
  for (const [, kept] of keptStreams(streams)) bytes += byteLengthOf(kept);
  return bytes;
}

/** Bytes of a stream; undefined where there is none of this name. */
export function streamLength(
  streams: ReadonlyMap<string, Uint8Array>,
  name: string,
): number | undefined {
  if (streams instanceof StreamsInFile) return streams.placeOf(name)?.length;
  return streams.get(name)?.length;
}

/** Writes streams one after another to a file. */
export class StreamWriter {
  readonly #file: string;
  readonly #writer: FileArrayWriter<"Uint8Array">;
  readonly #places = new Map<string, StreamInFile>();
  #end = 0;

  /** Makes the file, or empties it; throws {@linkcode InputError} where that cannot be. */
  constructor(file: string) {
    this.#file = file;
    this.#writer = new FileArrayWriter(file, "Uint8Array");
  }

  /** Writes a stream; throws {@linkcode InputError} where the disk is full. */
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

  /** The streams, in the order in which they were written. */
  streams(): StreamsInFile {
    return new StreamsInFile(this.#places);
  }
}
