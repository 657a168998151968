import { FileArrayWriter, readFileBytes } from "../data/file_array.ts";

/** Keeps the files that a search for a size has made on disk: of many, one is wanted. */
export class TrialFiles {
  readonly #folder: string;
  #count = 0;

  /** Keeps them in a folder, whose owner removes them. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes the parts of a file, and gives what reads all of them. Throws {@linkcode InputError} where the disk is full. */
  keep(parts: readonly Uint8Array[]): () => Uint8Array {
    const writer = new FileArrayWriter(`${this.#folder}/trial-${this.#count++}`, "Int8Array");
    for (const { buffer, byteOffset, byteLength } of parts) {
      writer.write(new Int8Array(buffer, byteOffset, byteLength));
    }
    const kept = writer.finish();
    return () => {
      const bytes = new Uint8Array(kept.length);
      readFileBytes(kept, 0, bytes);
      return bytes;
    };
  }
}
