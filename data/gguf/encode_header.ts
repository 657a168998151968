import { defaultAlignment, ggufMagic } from "./header.ts";
import {
  type GgufMetadata,
  type GgufNumberType,
  type GgufValue,
  numberTypes,
  valueTypes,
} from "./metadata_value.ts";
import { ggmlByteLength, type GgmlType } from "./types.ts";

/** A tensor that is going to be stored in a GGUF file. */
export interface TensorToStore {
  /** Name in the file. */
  readonly name: string;
  /** How it is stored. */
  readonly type: GgmlType;
  /** Sizes of the axes, outermost first; rows are whole blocks of the type. */
  readonly shape: readonly number[];
}

/** The version of GGUF that is written. */
const VERSION = 3;

/**
 * The bytes before a GGUF file's tensors, which then follow in this order, each filled up with zeros
 * to {@linkcode defaultAlignment}: {@linkcode readGgufHeader} reads them. Throws a RangeError where a
 * tensor's rows are not whole blocks, and for a number that its type cannot hold.
 */
export function encodeGgufHeader(
  metadata: GgufMetadata,
  tensors: readonly TensorToStore[],
): Uint8Array {
  const writer = new HeaderWriter();
  writer.bytes(new TextEncoder().encode(ggufMagic));
  writer.number("UINT32", VERSION);
  writer.number("UINT64", tensors.length);
  writer.number("UINT64", metadata.size);
  for (const [key, value] of metadata) {
    writer.text(key);
    writer.value(value);
  }
  let offset = 0;
  for (const { name, type, shape } of tensors) {
    const length = ggmlByteLength(type, shape);
    if (length === undefined) throw new RangeError(`${name}: rows are not whole blocks`);
    writer.text(name);
    writer.number("UINT32", shape.length);
    for (const size of shape.toReversed()) writer.number("UINT64", size);
    writer.number("UINT32", type.id);
    writer.number("UINT64", offset);
    offset += aligned(length);
  }
  writer.bytes(new Uint8Array(aligned(writer.length) - writer.length));
  return writer.take();
}

/** A number of bytes, filled up to where the next tensor may begin. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / defaultAlignment) * defaultAlignment;
}

/** Collects the bytes of a header, of which vocabularies have millions. */
class HeaderWriter {
  #bytes = new Uint8Array(2 ** 16);
  #encoder = new TextEncoder();
  length = 0;

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  text(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.number("UINT64", bytes.length);
    this.bytes(bytes);
  }

  number(type: GgufNumberType, value: number | bigint): void {
    this.#room(8);
    const view = new DataView(this.#bytes.buffer, this.length, 8);
    const size = numberTypes[type];
    if (type === "FLOAT32") view.setFloat32(0, Number(value), true);
    else if (type === "FLOAT64") view.setFloat64(0, Number(value), true);
    else {
      const integer = BigInt(value), bits = 8 * size;
      const wrapped = type.startsWith("U")
        ? BigInt.asUintN(bits, integer)
        : BigInt.asIntN(bits, integer);
      if (wrapped !== integer) throw new RangeError(`${value} is beyond ${type}`);
      view.setBigInt64(0, integer, true);
    }
    this.length += size;
  }

  value(value: GgufValue): void {
    this.number("UINT32", valueTypes.indexOf(value.type));
    if (value.type !== "ARRAY") return this.#scalar(value);
    const { type, values } = value.elements;
    this.number("UINT32", valueTypes.indexOf(type));
    this.number("UINT64", values.length);
    for (const element of values) this.#scalar({ type, value: element } as GgufValue);
  }

  #scalar(value: GgufValue): void {
    if (value.type === "STRING") this.text(value.value);
    else if (value.type === "BOOL") this.bytes(Uint8Array.of(value.value ? 1 : 0));
    else if (value.type !== "ARRAY") this.number(value.type, value.value);
  }

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more));
    larger.set(this.take());
    this.#bytes = larger;
  }
}
