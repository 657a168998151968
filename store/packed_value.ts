import {
  byteLengthOf,
  type FileArray,
  isFileArray,
  type KeptBytes,
  loadFileArray,
} from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";

/** Kinds of arrays that values are made of, by the names that they have in packed values. */
const ARRAYS = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
};

/** An array of numbers in a packed value. */
export type PackedArray = InstanceType<typeof ARRAYS[keyof typeof ARRAYS]>;

/** A value as bytes, beside which its large arrays are kept by the hash of what is in them. */
export interface PackedValue {
  /** Everything but the large arrays. */
  readonly bytes: Uint8Array;
  /**
   * The bytes of the large arrays, by the names that they are to be kept under; not copied, and not
   * read of arrays in files.
   */
  readonly blobs: ReadonlyMap<string, KeptBytes>;
}

/** Arrays of more bytes are kept apart unless another size is said. */
const LARGEST_INLINE = 1 << 17;
/** Arrays begin at multiples of so many bytes. */
const ALIGNMENT = 8;
/** Objects and lists within each other, at most. */
const DEEPEST = 16;
/** Marks the object that stands for an array. */
const ARRAY = "$array";

/**
 * Packs a value of plain objects, lists, texts, finite numbers, booleans and typed arrays; properties
 * that are undefined are left out; arrays in files are packed as those in memory. The same value gives
 * the same bytes. `hashOf` gives the SHA-256 of a large array, one of more than `largestInline` bytes, in
 * hexadecimal; it is told the names of the properties that lead to it.
 *
 * ```ts
 * import { packValue, unpackValue } from "./packed_value.ts";
 * import assert from "node:assert";
 *
 * const value = { rows: 2, values: Float32Array.of(0.5, 2) };
 * const { bytes, blobs } = await packValue(value, () => Promise.reject(new Error("not large")));
 * assert.equal(blobs.size, 0);
 * assert.deepEqual(await unpackValue(bytes, () => Promise.resolve(undefined)), value);
 * ```
 */
export async function packValue(
  value: unknown,
  hashOf: (bytes: Uint8Array, array: PackedArray, path: string) => Promise<string>,
  largestInline: number = LARGEST_INLINE,
): Promise<PackedValue> {
  const inline: Uint8Array[] = [];
  const blobs = new Map<string, KeptBytes>();
  let end = 0;
  const describeArray = async (array: PackedArray, path: string) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const described = { [ARRAY]: array.constructor.name, length: array.length };
    if (bytes.length > largestInline) {
      const blob = blobName(await hashOf(bytes, array, path));
      blobs.set(blob, bytes);
      return { ...described, blob };
    }
    const at = end;
    inline.push(bytes);
    end = alignedLength(at + bytes.length);
    return { ...described, at };
  };
  // As if it were in memory: where it is makes no difference.
  const describeFile = async (array: FileArray, path: string) => {
    if (byteLengthOf(array) <= largestInline) {
      return await describeArray(loadFileArray(array) as PackedArray, path);
    }
    const blob = blobName(array.sha256);
    blobs.set(blob, array);
    return { [ARRAY]: array.kind, length: array.length, blob };
  };
  const describe = async (part: unknown, path: string): Promise<unknown> => {
    if (isFileArray(part)) return await describeFile(part, path);
    if (isArray(part)) return await describeArray(part, path);
    if (Array.isArray(part)) {
      const items: unknown[] = [];
      for (const [i, item] of part.entries()) items.push(await describe(item, `${path}.${i}`));
      return items;
    }
    if (typeof part === "object" && part !== null) {
      const described: Record<string, unknown> = {};
      for (const key of Object.keys(part).sort()) {
        const property: unknown = part[key as keyof typeof part];
        if (property === undefined) continue;
        described[key] = await describe(property, path === "" ? key : `${path}.${key}`);
      }
      return described;
    }
    if (typeof part === "string" || typeof part === "boolean" || part === null) return part;
    if (typeof part === "number" && Number.isFinite(part)) return part;
    throw new Error(`${path}: ${typeof part === "number" ? part : typeof part} cannot be packed`);
  };
  const text = new TextEncoder().encode(JSON.stringify(await describe(value, "")));
  const head = alignedLength(4 + text.length);
  const bytes = new Uint8Array(head + end);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let at = head;
  for (const array of inline) {
    bytes.set(array, at);
    at = alignedLength(at + array.length);
  }
  return { bytes, blobs };
}

/**
 * The value that {@linkcode packValue} packed; undefined where `blobOf` does not find a large array.
 * Throws {@linkcode InputError} if the bytes are not of a packed value.
 */
export async function unpackValue(
  bytes: Uint8Array,
  blobOf: (name: string) => Promise<Uint8Array | undefined>,
): Promise<unknown> {
  if (bytes.length < 4) throw notPacked();
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = alignedLength(4 + length);
  if (head > bytes.length) throw notPacked();
  const inline = bytes.subarray(head);
  let isMissing = false;
  const restoreArray = async (described: Record<string, unknown>): Promise<PackedArray> => {
    const { [ARRAY]: kind, length, at, blob } = described;
    if (typeof kind !== "string" || !Object.hasOwn(ARRAYS, kind)) throw notPacked();
    const { BYTES_PER_ELEMENT: size } = ARRAYS[kind as keyof typeof ARRAYS];
    if (!isCount(length) || !isCount(length * size)) throw notPacked();
    if (typeof blob === "string") {
      const found = await blobOf(blob);
      if (found === undefined) isMissing = true;
      else if (found.length !== length * size) throw notPacked();
      return arrayOf(kind, found ?? new Uint8Array(0));
    }
    if (!isCount(at) || at + length * size > inline.length) throw notPacked();
    return arrayOf(kind, inline.subarray(at, at + length * size));
  };
  const restore = async (part: unknown, depth: number): Promise<unknown> => {
    if (depth > DEEPEST) throw notPacked();
    if (Array.isArray(part)) {
      const items: unknown[] = [];
      for (const item of part) items.push(await restore(item, depth + 1));
      return items;
    }
    if (typeof part !== "object" || part === null) return part;
    if (ARRAY in part) return await restoreArray(part as Record<string, unknown>);
    const properties: [string, unknown][] = [];
    for (const [key, property] of Object.entries(part)) {
      properties.push([key, await restore(property, depth + 1)]);
    }
    return Object.fromEntries(properties);
  };
  const value = await restore(parse(bytes.subarray(4, 4 + length)), 0);
  return isMissing ? undefined : value;
}

/** What an array of this hash is kept under. */
export function blobName(hash: string): string {
  return `blob-${hash}`;
}

function parse(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch {
    throw notPacked();
  }
}

/** An array on bytes, which are copied where they do not stand at a multiple of its elements. */
function arrayOf(kind: string, bytes: Uint8Array): PackedArray {
  const Kind = ARRAYS[kind as keyof typeof ARRAYS];
  const own = bytes.byteOffset % Kind.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Kind(
    own.buffer as ArrayBuffer,
    own.byteOffset,
    own.length / Kind.BYTES_PER_ELEMENT,
  );
}

function isArray(value: unknown): value is PackedArray {
  return ArrayBuffer.isView(value) && Object.hasOwn(ARRAYS, value.constructor.name);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function alignedLength(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function notPacked(): InputError {
  return new InputError("an entry of the store is not what was kept there; remove the store");
}
