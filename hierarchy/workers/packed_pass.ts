import { InputError } from "../../data/input_error.ts";
import { packValue, unpackValue } from "../../store/packed_value.ts";
import { LARGEST_INTEGER } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";
import type { RowColumnScales } from "../entropy/row_column_scales.ts";
import { coefficientCount, type SymbolModel } from "../entropy/symbol_model.ts";
import { LARGEST_LOG_SCALE } from "../format/constants.ts";
import type { Size } from "../scan/diagonals.ts";
import { hexHash } from "./packed_tasks.ts";

/** What a pass comes to: nothing that follows needs more of it. */
export interface PassResult {
  /** The symbol model of all matrices. */
  readonly model: SymbolModel;
  /** Scales of each matrix. */
  readonly scales: readonly RowColumnScales[];
  /** The code streams, in order; none of a pass whose indices are not coded. */
  readonly codes: readonly KeptCode[];
}

/** A code stream that is kept, or was. */
export interface KeptCode {
  /** Of the task that encoded it. */
  readonly key: string;
  /** Entries of large arrays that belong to it. */
  readonly blobs: readonly string[];
  /** Bytes that it has. */
  readonly length: number;
  /** SHA-256 of its bytes in hexadecimal. */
  readonly sha256: string;
}

/** A {@linkcode PassResult} as it is kept: with the names of entries that it stands for. */
export interface KeptPass extends PassResult {
  readonly replaced: readonly string[];
}

/** What is known of a pass before it is run. */
export interface PassShape {
  readonly quantizers: 1 | 2;
  readonly matrices: readonly Size[];
  /** Code streams that it gives. */
  readonly codes: number;
}

/**
 * A pass as bytes: in one entry, for scales of many rows are those of a result too, whose large arrays
 * are removed when the pass is kept.
 */
export async function packPass(pass: KeptPass): Promise<Uint8Array> {
  return (await packValue(pass, hexHash, Infinity)).bytes;
}

/** The pass in an entry of this name. Throws {@linkcode InputError} if it is none of this shape. */
export async function unpackPass(
  name: string,
  bytes: Uint8Array,
  shape: PassShape,
): Promise<KeptPass> {
  const kept = await unpackValue(bytes, () => Promise.resolve(undefined));
  if (isPass(kept, shape)) return kept;
  throw new InputError(`${name}: is not what a pass gives; remove the store`);
}

const HASH = /^[\da-f]{64}$/;
const BLOB = /^blob-[\da-f]{64}$/;
const REPLACED = /^(task|quantize|refine|blob)-[\da-f]{64}$/;
/** Bytes of a stream without any index. */
const SHORTEST_CODE = new RansEncoder().finish().length;

function isPass(value: unknown, { quantizers, matrices, codes }: PassShape): value is KeptPass {
  const pass = fieldsOf(value), model = fieldsOf(pass.model);
  return model.quantizers === quantizers &&
    areIntegers(model.coefficients, coefficientCount(quantizers), LARGEST_INTEGER) &&
    isList(pass.scales, matrices.length, (scales, i) => {
      const { rows, columns } = fieldsOf(scales), size = matrices[i]!;
      return areIntegers(rows, size.rows, LARGEST_LOG_SCALE) &&
        areIntegers(columns, size.columns, LARGEST_LOG_SCALE);
    }) &&
    isList(pass.codes, codes, (code) => {
      const { key, blobs, length, sha256 } = fieldsOf(code);
      return isText(key, HASH) && isText(sha256, HASH) &&
        isList(blobs, undefined, (blob) => isText(blob, BLOB)) &&
        Number.isSafeInteger(length) && Number(length) >= SHORTEST_CODE;
    }) &&
    isList(pass.replaced, undefined, (name) => isText(name, REPLACED));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

function areIntegers(value: unknown, length: number, largest: number): boolean {
  return value instanceof Int32Array && value.length === length &&
    value.every((integer) => Math.abs(integer) <= largest);
}

function isList(
  value: unknown,
  length: number | undefined,
  isItem: (item: unknown, i: number) => boolean,
): boolean {
  return Array.isArray(value) && (length === undefined || value.length === length) &&
    value.every(isItem);
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}
