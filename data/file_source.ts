import type { Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { type ByteSource, checkRange } from "./byte_source.ts";
import { fileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";
import { partsIn } from "./parts_in_file.ts";

// Node refuses to read 2 GiB or more in one call.
const largestRead = 2 ** 30;

/**
 * A file as a {@linkcode ByteSource}. Each read opens the file anew, so nothing has to be closed, and
 * compares it with what was opened first: one that was replaced or written to in between is never
 * read as a mixture. Throws {@linkcode InputError} if there is no such file, or it has changed.
 *
 * ```ts
 * import { openFile } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * await assert.rejects(openFile("missing.safetensors"), /missing.safetensors: does not exist/);
 * ```
 */
export async function openFile(path: string): Promise<ByteSource> {
  const first = await statFile(path);
  const byteLength = first.size;
  return {
    name: path,
    byteLength,
    readParts: (places) => partsIn(path, 0, places),
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, byteLength);
      const bytes = new Uint8Array(end - start);
      await fill(path, first, bytes, start);
      return bytes;
    },
    async readInto(target: Uint8Array, start: number): Promise<void> {
      checkRange(start, start + target.length, byteLength);
      await fill(path, first, target, start);
    },
  };
}

async function statFile(path: string): Promise<Stats> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found;
  } catch (error) {
    throw fileError(path, error);
  }
  throw new InputError(`${path}: is not a file; name a file`);
}

async function fill(path: string, first: Stats, bytes: Uint8Array, start: number): Promise<void> {
  try {
    const file = await open(path);
    try {
      checkSame(path, first, await file.stat());
      let filled = 0;
      while (filled < bytes.length) {
        const wanted = Math.min(largestRead, bytes.length - filled);
        const { bytesRead } = await file.read(bytes, filled, wanted, start + filled);
        if (bytesRead === 0) throw changed(path);
        filled += bytesRead;
      }
      // What was written meanwhile may be among what was read.
      checkSame(path, first, await file.stat());
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
}

function checkSame(path: string, first: Stats, now: Stats): void {
  const isSame = first.dev === now.dev && first.ino === now.ino && first.size === now.size &&
    first.mtimeMs === now.mtimeMs;
  if (!isSame) throw changed(path);
}

function changed(path: string): InputError {
  return new InputError(`${path}: was changed while it was being read; start again`);
}
