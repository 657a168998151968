import { type FileArrayKind, FileArrayWriter, sequentialReader } from "../../data/file_array.ts";
import type { Indices, IndicesInFile, IndicesPlace } from "../entropy/index_matrix.ts";
import { fitsBits } from "./index_store.ts";

type IndexKind = IndicesInFile["kind"];

/** Kinds of arrays that hold indices, narrowest first. */
const KINDS = { Int8Array, Int16Array, Int32Array } as const satisfies Partial<
  Record<FileArrayKind, unknown>
>;
const WIDER = { Int8Array: "Int16Array", Int16Array: "Int32Array" } as const;
/** Indices that are written at once. */
const BUFFERED = 2 ** 18;

/**
 * Writes the indices of a matrix to a file, in order, in so few bits each as the largest needs: what
 * has been written is written again when a larger one comes.
 */
export class IndexFile {
  readonly #place: IndicesPlace;
  #kind: IndexKind = "Int8Array";
  #writer: FileArrayWriter<IndexKind>;
  #buffer: Indices = new Int8Array(BUFFERED);
  #buffered = 0;

  /** Makes the file, or empties it; throws {@linkcode InputError} where that cannot be. */
  constructor(place: IndicesPlace) {
    this.#place = place;
    this.#writer = new FileArrayWriter(this.#path(), this.#kind);
  }

  /** Writes the indices that follow. */
  set(run: Int32Array): void {
    while (!fitsBits(run, 8 * this.#buffer.BYTES_PER_ELEMENT)) this.#widen();
    for (let at = 0; at < run.length;) {
      const part = run.subarray(at, at + BUFFERED - this.#buffered);
      this.#buffer.set(part, this.#buffered);
      this.#buffered += part.length;
      at += part.length;
      if (this.#buffered === BUFFERED) this.#flush();
    }
  }

  /** The indices, when all are written. */
  finish(): IndicesInFile {
    this.#flush();
    return this.#writer.finish();
  }

  #flush(): void {
    this.#writer.write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #widen(): void {
    const narrow = this.finish();
    this.#kind = WIDER[this.#kind as keyof typeof WIDER];
    this.#writer = new FileArrayWriter(this.#path(), this.#kind);
    this.#buffer = new KINDS[this.#kind](BUFFERED);
    const read = sequentialReader(narrow, BUFFERED);
    for (let first = 0; first < narrow.length; first += BUFFERED) {
      const part = read(first, Math.min(BUFFERED, narrow.length - first));
      this.#buffer.set(part);
      this.#writer.write(this.#buffer.subarray(0, part.length));
    }
  }

  /** Wider indices have a file of their own, since the narrow ones are read meanwhile. */
  #path(): string {
    return `${this.#place.file}.${8 * KINDS[this.#kind].BYTES_PER_ELEMENT}`;
  }
}
