import { sharedInt8Array } from "../../workers/shared_array.ts";

/**
 * Arrays that workers see without a copy and that are used again. Shared memory is released late:
 * every worker that has seen it must collect its garbage first, and idle workers do not. So a search
 * that codes the same matrices at one step after another keeps one array for each purpose.
 */
export class ScratchArrays {
  readonly #bytes = new Map<string, Int8Array>();

  /** The array of a purpose, such as `"indices 3"`; what an earlier call gave is overwritten. */
  int8Array(purpose: string, length: number): Int8Array {
    const known = this.#bytes.get(purpose);
    if (known?.length === length) return known;
    const made = sharedInt8Array(length);
    this.#bytes.set(purpose, made);
    return made;
  }
}
