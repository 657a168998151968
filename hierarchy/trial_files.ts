import { bytePieces, type FileArray, FileArrayWriter, type KeptBytes } from "../data/file_array.ts";

/** Keeps the files that a search for a size has made on disk: of many, one is wanted. */
export class TrialFiles {
  readonly #folder: string;
  #count = 0;

  /** Keeps them in a folder, whose owner removes them. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes the parts of a file. Throws {@linkcode InputError} where the disk is full. */
  keep(parts: readonly KeptBytes[]): FileArray<"Uint8Array"> {
    const writer = new FileArrayWriter(`${this.#folder}/trial-${this.#count++}`, "Uint8Array");
    for (const part of parts) for (const piece of bytePieces(part)) writer.write(piece);
    return writer.finish();
  }
}
