import { type GgufValue, numberTypes, valueTypes } from "../metadata_value.ts";
import { ggmlType } from "../types.ts";

/** A tensor of a GGUF file to be made, sound or not. */
export interface TensorToWrite {
  readonly name: string;
  /** Name of its type, or a number that there may be no type of. */
  readonly type: string | number;
  /** Sizes of the axes, outermost first. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Where it says that it begins, unless where it does. */
  readonly offset?: number;
}

/** What a GGUF file says of itself, true or not. */
export interface FileToWrite {
  readonly metadata?: readonly (readonly [string, GgufValue])[];
  readonly tensors?: readonly TensorToWrite[];
  readonly version?: number;
  readonly alignment?: number;
}

/** The bytes of a GGUF file, written for tests as plainly as they can be. */
export function ggufBytes(
  { metadata = [], tensors = [], version = 3, alignment = 32 }: FileToWrite,
): Uint8Array {
  const writer = new Writer();
  writer.raw(new TextEncoder().encode("GGUF"));
  writer.number("UINT32", version);
  writer.number("UINT64", tensors.length);
  writer.number("UINT64", metadata.length);
  for (const [key, value] of metadata) {
    writer.text(key);
    writer.value(value);
  }
  let offset = 0;
  for (const { name, type, shape, bytes, offset: said } of tensors) {
    writer.text(name);
    writer.number("UINT32", shape.length);
    for (const extent of shape.toReversed()) writer.number("UINT64", extent);
    writer.number("UINT32", typeof type === "number" ? type : ggmlType(type).id);
    writer.number("UINT64", said ?? offset);
    offset += Math.ceil(bytes.length / alignment) * alignment;
  }
  for (const { bytes } of tensors) {
    writer.align(alignment);
    writer.raw(bytes);
  }
  return Uint8Array.from(writer.bytes);
}

/** A number of metadata. */
export function numberValue(type: keyof typeof numberTypes, value: number | bigint): GgufValue {
  return { type, value };
}

/** A text of metadata. */
export function textValue(value: string): GgufValue {
  return { type: "STRING", value };
}

/** A list of texts of metadata. */
export function textsValue(values: readonly string[]): GgufValue {
  return { type: "ARRAY", elements: { type: "STRING", values } };
}

class Writer {
  readonly bytes: number[] = [];

  raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  align(alignment: number): void {
    while (this.bytes.length % alignment !== 0) this.bytes.push(0);
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.number("UINT64", bytes.length);
    this.raw(bytes);
  }

  number(type: keyof typeof numberTypes, value: number | bigint): void {
    const view = new DataView(new ArrayBuffer(8));
    const size = numberTypes[type];
    if (type === "FLOAT32") view.setFloat32(0, Number(value), true);
    else if (type === "FLOAT64") view.setFloat64(0, Number(value), true);
    else view.setBigInt64(0, BigInt(value), true);
    this.raw(new Uint8Array(view.buffer, 0, size));
  }

  scalar(type: string, value: unknown): void {
    if (type === "STRING") this.text(String(value));
    else if (type === "BOOL") this.number("UINT8", value === true ? 1 : 0);
    else this.number(type as keyof typeof numberTypes, value as number);
  }

  value(value: GgufValue): void {
    this.number("UINT32", valueTypes.indexOf(value.type));
    if (value.type !== "ARRAY") return this.scalar(value.type, value.value);
    const { type, values } = value.elements;
    this.number("UINT32", valueTypes.indexOf(type));
    this.number("UINT64", values.length);
    for (const element of values) this.scalar(type, element);
  }
}
