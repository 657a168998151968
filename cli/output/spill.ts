import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileError } from "../../data/file_error.ts";
import { InputError } from "../../data/input_error.ts";

/** Values that are kept in a file, because there is not memory enough for them. */
export interface Spill extends Disposable {
  /** Writes values to the file, and gives what reads them again. */
  keep(values: Float32Array): () => Float32Array;
}

/**
 * Makes a file in a folder that exists, which goes with the spill. Throws {@linkcode InputError} if it
 * cannot be made; {@linkcode Spill.keep} does so when the disk is full.
 */
export function openSpill(folder: string): Spill {
  const path = join(folder, "values");
  const fail = (error: unknown) => {
    const told = fileError(path, error);
    if (!(told instanceof InputError)) throw told;
    throw new InputError(`${told.message}; it takes what memory is too short for (--memory)`);
  };
  let file: number;
  try {
    file = openSync(path, "w+");
  } catch (error) {
    return fail(error);
  }
  let end = 0;
  return {
    keep(values) {
      const start = end, { length } = values;
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      try {
        for (let at = 0; at < bytes.length;) {
          at += writeSync(file, bytes, at, bytes.length - at, start + at);
        }
      } catch (error) {
        return fail(error);
      }
      end += bytes.length;
      return () => readValues(file, start, length, path);
    },
    [Symbol.dispose]() {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

function readValues(file: number, start: number, length: number, path: string): Float32Array {
  const values = new Float32Array(length);
  const bytes = new Uint8Array(values.buffer);
  for (let at = 0; at < bytes.length;) {
    const read = readSync(file, bytes, at, bytes.length - at, start + at);
    if (read === 0) throw new InputError(`${path}: ends too early; run the command again`);
    at += read;
  }
  return values;
}
