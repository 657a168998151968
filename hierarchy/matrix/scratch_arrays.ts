import { sharedFloat32Array, sharedInt32Array } from "../../workers/shared_array.ts";

/**
 * Arrays that workers see without a copy and that are used again. Shared memory is released late:
 * every worker that has seen it must collect its garbage first, and idle workers do not. So a search
 * that codes the same matrices at one step after another keeps one array for each purpose.
 */
export class ScratchArrays {
  readonly #floats = new Map<string, Float32Array>();
  readonly #integers = new Map<string, Int32Array>();

  /** The array of a purpose, such as `"quotients 3"`; what an earlier call gave is overwritten. */
  float32Array(purpose: string, length: number): Float32Array {
    return reuse(this.#floats, purpose, length, sharedFloat32Array);
  }

  /** The array of a purpose, such as `"indices 3"`; what an earlier call gave is overwritten. */
  int32Array(purpose: string, length: number): Int32Array {
    return reuse(this.#integers, purpose, length, sharedInt32Array);
  }
}

function reuse<T extends Float32Array | Int32Array>(
  arrays: Map<string, T>,
  purpose: string,
  length: number,
  allocate: (length: number) => T,
): T {
  const known = arrays.get(purpose);
  if (known?.length === length) return known;
  const made = allocate(length);
  arrays.set(purpose, made);
  return made;
}
