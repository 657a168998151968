import { type ByteSource, checkRange } from "./byte_source.ts";

/**
 * Bytes in memory as a {@linkcode ByteSource}; reads are views, not copies.
 *
 * ```ts
 * import { memorySource } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const source = memorySource(Uint8Array.of(1, 2, 3, 4), "four bytes");
 * assert.deepEqual(await source.read(1, 3), Uint8Array.of(2, 3));
 * ```
 */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, bytes.byteLength);
      return await Promise.resolve(bytes.subarray(start, end));
    },
  };
}
