import { open, stat } from "node:fs/promises";
import { type ByteSource, checkRange } from "./byte_source.ts";
import { fileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";

// Node refuses to read 2 GiB or more in one call.
const largestRead = 2 ** 30;

/**
 * A file as a {@linkcode ByteSource}. Each read opens the file anew, so nothing has to be closed.
 * Throws {@linkcode InputError} where there is no such file.
 *
 * ```ts
 * import { openFile } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * await assert.rejects(openFile("missing.safetensors"), /missing.safetensors: does not exist/);
 * ```
 */
export async function openFile(path: string): Promise<ByteSource> {
  const byteLength = await fileSize(path);
  return {
    name: path,
    byteLength,
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, byteLength);
      const bytes = new Uint8Array(end - start);
      await fill(path, bytes, start);
      return bytes;
    },
    async readInto(target: Uint8Array, start: number): Promise<void> {
      checkRange(start, start + target.length, byteLength);
      await fill(path, target, start);
    },
  };
}

async function fileSize(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    throw fileError(path, error);
  }
  throw new InputError(`${path}: is not a file; name a file`);
}

async function fill(path: string, bytes: Uint8Array, start: number): Promise<void> {
  try {
    const file = await open(path);
    try {
      let filled = 0;
      while (filled < bytes.length) {
        const wanted = Math.min(largestRead, bytes.length - filled);
        const { bytesRead } = await file.read(bytes, filled, wanted, start + filled);
        if (bytesRead === 0) {
          throw new InputError(`${path}: was shortened while it was being read; start again`);
        }
        filled += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}
