import { bytePieces, type FileArray, FileArrayWriter, type KeptBytes } from "../data/file_array.ts";

/** Keeps the best file that a search for a size has made, on disk. */
export class TrialFiles {
  readonly #folder: string;
  #count = 0;

  /** Keeps it in a folder, whose owner removes it. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Writes the parts of a file, which is there until another two have been written. Throws
   * {@linkcode InputError} where the disk is full.
   */
  keep(parts: readonly KeptBytes[]): FileArray<"Uint8Array"> {
    const writer = new FileArrayWriter(`${this.#folder}/trial-${this.#count++ % 2}`, "Uint8Array");
    for (const part of parts) for (const piece of bytePieces(part)) writer.write(piece);
    return writer.finish();
  }
}
