import { InputError } from "../input_error.ts";
import { quote } from "../quote.ts";

/** Types of numbers in GGUF metadata, and the bytes of each. */
export const numberTypes = {
  UINT8: 1,
  INT8: 1,
  UINT16: 2,
  INT16: 2,
  UINT32: 4,
  INT32: 4,
  FLOAT32: 4,
  UINT64: 8,
  INT64: 8,
  FLOAT64: 8,
} as const;

/** A type of number in GGUF metadata. */
export type GgufNumberType = keyof typeof numberTypes;

/** A type that a value, or an element of an array, may have. */
export type GgufScalarType = GgufNumberType | "BOOL" | "STRING";

/** Types by the numbers that files give them; number 9 is an array. */
export const valueTypes: readonly (GgufScalarType | "ARRAY")[] = [
  "UINT8",
  "INT8",
  "UINT16",
  "INT16",
  "UINT32",
  "INT32",
  "FLOAT32",
  "BOOL",
  "STRING",
  "ARRAY",
  "UINT64",
  "INT64",
  "FLOAT64",
];

/** A value of GGUF metadata with its type; integers that a number cannot hold are bigints. */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number | bigint }
  | { readonly type: "BOOL"; readonly value: boolean }
  | { readonly type: "STRING"; readonly value: string }
  | { readonly type: "ARRAY"; readonly elements: GgufArray };

/** An array of GGUF metadata: elements of one type, none of them an array. */
export type GgufArray =
  | { readonly type: GgufNumberType; readonly values: readonly (number | bigint)[] }
  | { readonly type: "BOOL"; readonly values: readonly boolean[] }
  | { readonly type: "STRING"; readonly values: readonly string[] };

/** Metadata by key, in the order of the file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

/** Reads metadata of one file with checks: what is there must be of the kind that is asked for. */
export interface MetadataReader {
  /** The file, for messages. */
  readonly file: string;
  /** All of it. */
  readonly metadata: GgufMetadata;
  /** Whether a key is there. */
  has(key: string): boolean;
  /** A text; undefined where the key is missing. */
  text(key: string): string | undefined;
  /** A whole number from 0 on. */
  count(key: string): number | undefined;
  /** A finite number. */
  number(key: string): number | undefined;
  /** A truth value. */
  flag(key: string): boolean | undefined;
  /** A list of texts. */
  texts(key: string): readonly string[] | undefined;
  /** A list of finite numbers. */
  numbers(key: string): readonly number[] | undefined;
  /** A list of truth values. */
  flags(key: string): readonly boolean[] | undefined;
}

/**
 * Reads metadata of the file called `file`. Each reading gives undefined where the key is missing and
 * throws an {@linkcode InputError} that names the key where its value is of another kind.
 */
export function readMetadata(file: string, metadata: GgufMetadata): MetadataReader {
  function read<T>(key: string, kind: string, take: (value: GgufValue) => T | undefined) {
    const value = metadata.get(key);
    if (value === undefined) return undefined;
    const taken = take(value);
    if (taken !== undefined) return taken;
    throw new InputError(`${file}: its metadata ${quote(key)} is not ${kind}; get it again`);
  }
  const finite = (value: unknown) => typeof value === "number" && Number.isFinite(value);
  return {
    file,
    metadata,
    has: (key) => metadata.has(key),
    text: (key) =>
      read(key, "a text", (found) => found.type === "STRING" ? found.value : undefined),
    count: (key) =>
      read(key, "a whole number", (found) => {
        const isCount = found.type !== "ARRAY" && Number.isSafeInteger(found.value) &&
          Number(found.value) >= 0;
        return isCount ? Number(found.value) : undefined;
      }),
    number: (key) =>
      read(key, "a number", (found) => {
        return found.type !== "ARRAY" && finite(found.value) ? Number(found.value) : undefined;
      }),
    flag: (key) =>
      read(key, "true or false", (found) => found.type === "BOOL" ? found.value : undefined),
    texts: (key) =>
      read(key, "a list of texts", (found) => {
        if (found.type !== "ARRAY" || found.elements.type !== "STRING") return undefined;
        return found.elements.values;
      }),
    numbers: (key) =>
      read(key, "a list of numbers", (found) => {
        if (found.type !== "ARRAY") return undefined;
        const { values } = found.elements;
        return values.every(finite) ? values as readonly number[] : undefined;
      }),
    flags: (key) =>
      read(key, "a list of true and false", (found) => {
        if (found.type !== "ARRAY" || found.elements.type !== "BOOL") return undefined;
        return found.elements.values;
      }),
  };
}
