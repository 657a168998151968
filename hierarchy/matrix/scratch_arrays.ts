import { sharedInt8Array } from "../../workers/shared_array.ts";

/** Arrays of fewer bytes are in memory though there is a folder. */
const FEWEST_IN_FILE = 2 ** 18;

/**
 * Arrays that workers see without a copy and that are used again. Shared memory is released late:
 * every worker that has seen it must collect its garbage first, and idle workers do not. So a search
 * that codes the same matrices at one step after another keeps one array for each purpose.
 */
export class ScratchArrays {
  readonly #bytes = new Map<string, Int8Array>();
  readonly #folder: string | undefined;

  /** Arrays in memory; large ones in files of a folder, if one is named. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Path of the file of a purpose, such as `"streams"`; undefined where there is no folder. */
  file(purpose: string): string | undefined {
    return this.#folder && `${this.#folder}/${purpose}`;
  }

  /**
   * The array of a purpose, such as `"indices-3"`, or the file that it is to be written to; what an
   * earlier call gave is overwritten.
   */
  int8Array(purpose: string, length: number): Int8Array | { readonly file: string } {
    if (this.#folder !== undefined && length >= FEWEST_IN_FILE) {
      return { file: `${this.#folder}/${purpose}` };
    }
    const known = this.#bytes.get(purpose);
    if (known?.length === length) return known;
    const made = sharedInt8Array(length);
    this.#bytes.set(purpose, made);
    return made;
  }
}
