import { fileError } from "./file_error.ts";
import { InputError } from "./input_error.ts";

/** Kinds of arrays that are kept in files. */
const KINDS = { Int8Array, Uint8Array, Int16Array, Int32Array, Uint16Array, Float32Array };

/** Name of a kind of array that is kept in a file. */
export type FileArrayKind = keyof typeof KINDS;

/** Arrays by the names of their kinds. */
interface Parts {
  Int8Array: Int8Array;
  Uint8Array: Uint8Array;
  Int16Array: Int16Array;
  Int32Array: Int32Array;
  Uint16Array: Uint16Array;
  Float32Array: Float32Array;
}

/** What parts of an array in a file are read into. */
export type FileArrayPart<Kind extends FileArrayKind = FileArrayKind> = Parts[Kind];

/**
 * An array of numbers in a file, because there is not memory enough for it. It can be sent to workers,
 * which read the parts that they need themselves, with {@linkcode readFileArray}.
 */
export interface FileArray<Kind extends FileArrayKind = FileArrayKind> {
  /** Path of the file. */
  readonly file: string;
  /** Where it begins in the file, in bytes. */
  readonly start: number;
  /** Numbers that it has. */
  readonly length: number;
  /** What kind of array it would be in memory. */
  readonly kind: Kind;
  /** SHA-256 of its bytes in hexadecimal: what it is known by, wherever it is kept. */
  readonly sha256: string;
}

/** Files as they are read without waiting, where the platform has them: Deno and Node. */
interface FileBuiltins {
  getBuiltinModule(name: "fs"): typeof import("node:fs");
  getBuiltinModule(name: "crypto"): typeof import("node:crypto");
}

/** The platform's modules. They are not imported, for browsers read this file too. */
function builtins(): FileBuiltins {
  return (globalThis as unknown as { process: FileBuiltins }).process;
}

/** Whether something is an array in a file. */
export function isFileArray(value: unknown): value is FileArray {
  return typeof value === "object" && value !== null && "sha256" in value && "file" in value &&
    "kind" in value && Object.hasOwn(KINDS, value.kind as string);
}

/** Bytes of each number of an array in a file. */
export function elementBytes({ kind }: Pick<FileArray, "kind">): number {
  return KINDS[kind].BYTES_PER_ELEMENT;
}

/**
 * Fills `target` with the numbers from `first` on. Throws {@linkcode InputError} that names the file if
 * it cannot be read or is too short.
 */
export function readFileArray(array: FileArray, first: number, target: FileArrayPart): void {
  const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
  readFileBytes(array, first * elementBytes(array), bytes);
}

/** Fills `target` with an array's bytes from number `first` on; throws as {@linkcode readFileArray}. */
export function readFileBytes(array: FileArray, first: number, target: Uint8Array): void {
  const { openSync, readSync, closeSync } = builtins().getBuiltinModule("fs");
  if (first < 0 || first + target.length > array.length * elementBytes(array)) {
    throw new RangeError(`${first} and ${target.length} bytes are not within the array`);
  }
  try {
    const file = openSync(array.file, "r");
    try {
      for (let at = 0; at < target.length;) {
        const count = readSync(file, target, at, target.length - at, array.start + first + at);
        if (count === 0) throw new InputError(`${array.file}: ends too early; run it again`);
        at += count;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError(array.file, error);
  }
}

/** All of an array in a file, in memory. */
export function loadFileArray<Kind extends FileArrayKind>(
  array: FileArray<Kind>,
): FileArrayPart<Kind> {
  const values = new KINDS[array.kind](array.length);
  readFileArray(array, 0, values);
  return values as FileArrayPart<Kind>;
}

/** Bytes in memory, or those of an array in a file. */
export type KeptBytes = Uint8Array | FileArray;

/** Such bytes, in memory; throws as {@linkcode readFileArray}. */
export function bytesOf(kept: KeptBytes): Uint8Array {
  if (!isFileArray(kept)) return kept;
  const bytes = new Uint8Array(byteLengthOf(kept));
  readFileBytes(kept, 0, bytes);
  return bytes;
}

/** How many bytes these are. */
export function byteLengthOf(kept: KeptBytes): number {
  return isFileArray(kept) ? kept.length * elementBytes(kept) : kept.length;
}

/** Such bytes in order, in pieces of their own of which none has more than 2^20. */
export function* bytePieces(kept: KeptBytes): Generator<Uint8Array, void> {
  const length = byteLengthOf(kept);
  for (let first = 0; first < length; first += PIECE) {
    const end = Math.min(length, first + PIECE);
    if (!isFileArray(kept)) {
      yield kept.subarray(first, end);
      continue;
    }
    const piece = new Uint8Array(end - first);
    readFileBytes(kept, first, piece);
    yield piece;
  }
}

/** Numbers that are read at once where all are wanted in order. */
const PIECE = 2 ** 20;

/**
 * What reads numbers that follow each other, from a place that grows from call to call: fewest reads
 * of the file. What it gives is overwritten by the next call.
 */
export function sequentialReader<Kind extends FileArrayKind>(
  array: FileArray<Kind>,
  piece: number = PIECE,
): (first: number, count: number) => FileArrayPart<Kind> {
  let held: FileArrayPart = new KINDS[array.kind](0), start = 0;
  return (first, count) => {
    if (first < start || first + count > start + held.length) {
      const length = Math.min(Math.max(piece, count), array.length - first);
      if (held.length !== length) held = new KINDS[array.kind](length);
      readFileArray(array, first, held);
      start = first;
    }
    return held.subarray(first - start, first - start + count) as FileArrayPart<Kind>;
  };
}

/** Writes one array after another to a file of its own, part by part. */
export class FileArrayWriter<Kind extends FileArrayKind> {
  readonly #file: string;
  readonly #kind: Kind;
  readonly #descriptor: number;
  readonly #hash;
  #length = 0;

  /** Makes the file, or empties it. Throws {@linkcode InputError} where that cannot be. */
  constructor(file: string, kind: Kind) {
    this.#file = file;
    this.#kind = kind;
    this.#hash = builtins().getBuiltinModule("crypto").createHash("sha256");
    try {
      this.#descriptor = builtins().getBuiltinModule("fs").openSync(file, "w");
    } catch (error) {
      throw fileError(file, error);
    }
  }

  /** Writes the numbers that follow; throws {@linkcode InputError} where the disk is full. */
  write(part: FileArrayPart<Kind>): void {
    const { writeSync } = builtins().getBuiltinModule("fs");
    const { buffer, byteOffset, byteLength } = part;
    // What threads share is neither hashed nor written from there.
    const bytes = buffer instanceof ArrayBuffer
      ? new Uint8Array(buffer, byteOffset, byteLength)
      : new Uint8Array(buffer, byteOffset, byteLength).slice();
    this.#hash.update(bytes);
    const start = this.#length * part.BYTES_PER_ELEMENT;
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(this.#descriptor, bytes, at, bytes.length - at, start + at);
      }
    } catch (error) {
      this.close();
      throw fileError(this.#file, error);
    }
    this.#length += part.length;
  }

  /** Closes the file; to be called once, where all is written or nothing more will be. */
  close(): void {
    builtins().getBuiltinModule("fs").closeSync(this.#descriptor);
  }

  /** Closes the file and gives the array. */
  finish(): FileArray<Kind> {
    this.close();
    const sha256 = this.#hash.digest("hex");
    return { file: this.#file, start: 0, length: this.#length, kind: this.#kind, sha256 };
  }
}

/** SHA-256 of bytes in hexadecimal, without waiting. */
export function sha256Now(bytes: Uint8Array): string {
  return builtins().getBuiltinModule("crypto").createHash("sha256").update(bytes).digest("hex");
}

/** SHA-256, in base64, of parts one after another, none of which is kept. */
export function sha256OfParts(parts: Iterable<Float32Array>): string {
  const hash = builtins().getBuiltinModule("crypto").createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of parts) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("base64");
}
