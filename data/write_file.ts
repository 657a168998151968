import { open, rename } from "node:fs/promises";
import { rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errorCode, fileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";

/** What {@linkcode writeFileAtomically} may be told. */
export interface WriteOptions {
  /** Stops the writing; the temporary file is removed and the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * Whether to wait until the disk has it; true if omitted. Otherwise a power failure, but no end of
   * the process, may leave a file that is cut off.
   */
  readonly synchronizes?: boolean;
}

const unfinished = new Set<string>();

/**
 * Writes a file so that it is there whole or not at all: into a temporary file in the same folder,
 * which is renamed at the end and removed on any failure. A file that was there before is replaced.
 *
 * Throws an {@linkcode InputError} that names the folder or file if it cannot be written
 * (missing or read-only folder, full disk).
 *
 * ```ts
 * import { writeFileAtomically } from "./write_file.ts";
 * import assert from "node:assert";
 *
 * const path = `${Deno.makeTempDirSync()}/greeting.txt`;
 * await writeFileAtomically(path, [new TextEncoder().encode("hello")]);
 * assert.equal(Deno.readTextFileSync(path), "hello");
 * ```
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<void> {
  options.signal?.throwIfAborted();
  checkTarget(path);
  const name = `.${basename(path)}.tmp-${crypto.randomUUID()}`;
  const temporary = join(dirname(path), name);
  unfinished.add(temporary);
  try {
    await writeChunks(path, temporary, chunks, options);
    await rename(temporary, path).catch((error) => {
      throw fileError(path, error);
    });
  } finally {
    remove(temporary);
    unfinished.delete(temporary);
  }
}

/**
 * Removes the temporary files of every {@linkcode writeFileAtomically} that is still under way: for
 * a signal handler that ends the process at once.
 *
 * ```ts
 * import { removeUnfinishedFiles } from "./write_file.ts";
 *
 * removeUnfinishedFiles();
 * ```
 */
export function removeUnfinishedFiles(): void {
  for (const path of unfinished) remove(path);
}

/** Removes a file if it is there; that it cannot be removed is not worth another error. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}

function checkTarget(path: string): void {
  const folder = dirname(path);
  try {
    if (!statSync(folder).isDirectory()) {
      throw new InputError(`${folder}: is not a folder; choose another folder`);
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw fileError(folder, error);
    throw new InputError(`${folder}: the folder does not exist; create it first`, { cause: error });
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new InputError(`${path}: is a folder; name a file`);
  }
}

async function writeChunks(
  path: string,
  temporary: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { signal, synchronizes = true }: WriteOptions,
): Promise<void> {
  // A file that cannot be created is its folder's fault, one that cannot be filled its own.
  const file = await open(temporary, "wx").catch((error) => {
    throw fileError(dirname(path), error);
  });
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      let written = 0;
      while (written < chunk.length) {
        const result = await file.write(chunk, written).catch((error) => {
          throw fileError(path, error);
        });
        written += result.bytesWritten;
      }
    }
    signal?.throwIfAborted();
    if (synchronizes) {
      await file.sync().catch((error) => {
        throw fileError(path, error);
      });
    }
  } finally {
    await file.close();
  }
}
