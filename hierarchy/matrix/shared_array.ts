/** A buffer that workers see without a copy, where the platform has such. */
function sharedBuffer(bytes: number): ArrayBufferLike {
  // Browsers have shared memory only on pages that isolate themselves.
  return typeof SharedArrayBuffer === "undefined"
    ? new ArrayBuffer(bytes)
    : new SharedArrayBuffer(bytes);
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedInt32Array(length: number): Int32Array {
  return new Int32Array(sharedBuffer(4 * length));
}

/** Zeros that are passed to workers and back without a copy, where the platform allows it. */
export function sharedFloat32Array(length: number): Float32Array {
  return new Float32Array(sharedBuffer(4 * length));
}

/** A copy that is passed to workers without another copy, where the platform allows it. */
export function shareFloat32Array(values: Float32Array): Float32Array {
  const shared = sharedFloat32Array(values.length);
  shared.set(values);
  return shared;
}
