import { InputError } from "../data/input_error.ts";

/** Whether threads can share memory: browsers allow it on pages that isolate themselves. */
export function canShareMemory(): boolean {
  return typeof SharedArrayBuffer !== "undefined";
}

/**
 * Throws {@linkcode InputError} if threads cannot share memory; `what` says what needs it, such as
 * "calibration".
 */
export function requireSharedMemory(what: string): void {
  if (canShareMemory()) return;
  throw new InputError(
    `${what} shares memory between threads, which this page may not: serve it with the headers ` +
      `Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp`,
  );
}

/** A buffer that workers see without a copy, where the platform has such. */
function sharedBuffer(bytes: number): ArrayBufferLike {
  return canShareMemory() ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedInt8Array(length: number): Int8Array {
  return new Int8Array(sharedBuffer(length));
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedInt16Array(length: number): Int16Array {
  return new Int16Array(sharedBuffer(2 * length));
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedInt32Array(length: number): Int32Array {
  return new Int32Array(sharedBuffer(4 * length));
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedFloat32Array(length: number): Float32Array {
  return new Float32Array(sharedBuffer(4 * length));
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedFloat64Array(length: number): Float64Array {
  return new Float64Array(sharedBuffer(8 * length));
}

/**
 * The same values where workers see them without another copy, if the platform allows it: the array
 * itself where it is there already.
 */
export function shareFloat32Array(values: Float32Array): Float32Array {
  if (!canShareMemory() || values.buffer instanceof SharedArrayBuffer) return values;
  const shared = sharedFloat32Array(values.length);
  shared.set(values);
  return shared;
}
