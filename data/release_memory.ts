/**
 * Gives the memory of values back at once, where the platform can, instead of when the garbage
 * collector comes by, which does not hurry for it. The caller must be the only one to have them: they
 * are gone afterwards.
 */
export function releaseMemory({ buffer, byteLength }: ArrayBufferView): void {
  // Old browsers cannot, and lose nothing but time.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer?.(0);
}
