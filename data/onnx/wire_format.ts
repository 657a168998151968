/**
 * An encoded protobuf message: its bytes in parts, so that large arrays need not be copied into
 * each message that holds them.
 */
export interface Message {
  /** Number of bytes of all parts. */
  readonly byteLength: number;
  /** The bytes in order. */
  readonly parts: readonly Uint8Array[];
}

/** Wire types of protobuf's encoding. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Joins encoded fields to one message. */
export function message(...fields: readonly Message[]): Message {
  return {
    byteLength: fields.reduce((sum, { byteLength }) => sum + byteLength, 0),
    parts: fields.flatMap(({ parts }) => parts),
  };
}

/** An integer of a field of type int32, int64 or enum. */
export function integerField(field: number, value: number): Message {
  return fromBytes([...varint(field << 3 | VARINT), ...varint(value)]);
}

/** A number of a field of type float. */
export function floatField(field: number, value: number): Message {
  const bytes = new Uint8Array(new Float32Array([value]).buffer);
  return fromBytes([...varint(field << 3 | FIXED32), ...bytes]);
}

/** Integers of a repeated field, packed. */
export function packedIntegersField(field: number, values: readonly number[]): Message {
  return bytesField(field, Uint8Array.from(values.flatMap(varint)));
}

/** A field of type string. */
export function textField(field: number, text: string): Message {
  return bytesField(field, new TextEncoder().encode(text));
}

/** A field of type bytes; the bytes are not copied. */
export function bytesField(field: number, bytes: Uint8Array): Message {
  return messageField(field, { byteLength: bytes.length, parts: [bytes] });
}

/** A field that holds a message. */
export function messageField(field: number, { byteLength, parts }: Message): Message {
  const head = fromBytes([...varint(field << 3 | LENGTH_DELIMITED), ...varint(byteLength)]);
  return { byteLength: head.byteLength + byteLength, parts: [...head.parts, ...parts] };
}

function fromBytes(bytes: readonly number[]): Message {
  return { byteLength: bytes.length, parts: [Uint8Array.from(bytes)] };
}

/** Base 128, lowest digit first; negative numbers as their two's complement of 64 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}
