import {
  type GgufArray,
  type GgufNumberType,
  type GgufScalarType,
  type GgufValue,
  numberTypes,
  valueTypes,
} from "./metadata_value.ts";

/** The bytes that were read end before the header does. */
export class HeaderTooShort extends Error {
  /** What was being read. */
  readonly place: string;
  /** Bytes from the file's beginning that it takes at least. */
  readonly needed: number;

  /** Says what was being read, and how many bytes are needed for it. */
  constructor(place: string, needed: number) {
    super(`the header ends in ${place}`);
    this.place = place;
    this.needed = needed;
  }
}

/**
 * Reads one value of a GGUF header after the other. Nothing is made of a length before that many
 * bytes are known to be there; where they are not, {@linkcode HeaderTooShort} is thrown.
 */
export class HeaderCursor {
  #bytes: Uint8Array;
  #view: DataView;
  #position = 0;
  #place = "";
  #damaged: (problem: string) => Error;
  #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** A cursor at the beginning of `bytes`; `damaged` makes the errors. */
  constructor(bytes: Uint8Array, damaged: (problem: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#damaged = damaged;
  }

  /** Bytes that were read. */
  get position(): number {
    return this.#position;
  }

  /** Says what is read from here on, for messages. */
  at(place: string): this {
    this.#place = place;
    return this;
  }

  /** An error about what is being read. */
  fail(problem: string): Error {
    return this.#damaged(`${this.#place} ${problem}`);
  }

  /** Goes on by `length` bytes; gives where they begin. */
  skip(length: number): number {
    this.#require(length);
    this.#position += length;
    return this.#position - length;
  }

  #require(length: number): void {
    const needed = this.#position + length;
    if (needed > this.#bytes.length) throw new HeaderTooShort(this.#place, needed);
  }

  /** An unsigned integer of 32 bits. */
  uint32(): number {
    return this.#view.getUint32(this.skip(4), true);
  }

  /** An unsigned integer of 64 bits that counts something. */
  count(): number {
    const count = this.#view.getBigUint64(this.skip(8), true);
    if (count <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(count);
    throw this.fail(`is the length or count ${count}, which is beyond any file`);
  }

  /** A text: its length, then UTF-8. */
  text(): string {
    const length = this.count();
    const start = this.skip(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.fail("has a text that is not UTF-8");
    }
  }

  /** A value of metadata: the number of its type, then itself. */
  value(): GgufValue {
    const type = this.#type();
    if (type === "ARRAY") return { type, elements: this.#array() };
    return { type, value: this.#scalar(type) } as GgufValue;
  }

  #type(): GgufScalarType | "ARRAY" {
    const number = this.uint32();
    const type = valueTypes[number];
    if (type === undefined) throw this.fail(`is of type ${number}, which is not known`);
    return type;
  }

  #array(): GgufArray {
    const type = this.#type();
    if (type === "ARRAY") throw this.fail("is an array of arrays, which llama.cpp has not either");
    const count = this.count();
    const least = type === "STRING" ? 8 : type === "BOOL" ? 1 : numberTypes[type];
    // All elements must be there before a list of them is made.
    this.#require(least * count);
    const values = Array.from({ length: count }, () => this.#scalar(type));
    return { type, values } as GgufArray;
  }

  #scalar(type: GgufScalarType): number | bigint | boolean | string {
    if (type === "STRING") return this.text();
    if (type === "BOOL") return this.#flag();
    return this.#number(type);
  }

  #flag(): boolean {
    const byte = this.#view.getUint8(this.skip(1));
    if (byte > 1) throw this.fail(`has the truth value ${byte}, which is neither 0 nor 1`);
    return byte === 1;
  }

  #number(type: GgufNumberType): number | bigint {
    const view = this.#view, at = this.skip(numberTypes[type]);
    switch (type) {
      case "UINT8":
        return view.getUint8(at);
      case "INT8":
        return view.getInt8(at);
      case "UINT16":
        return view.getUint16(at, true);
      case "INT16":
        return view.getInt16(at, true);
      case "UINT32":
        return view.getUint32(at, true);
      case "INT32":
        return view.getInt32(at, true);
      case "FLOAT32":
        return view.getFloat32(at, true);
      case "FLOAT64":
        return view.getFloat64(at, true);
      case "UINT64":
        return narrow(view.getBigUint64(at, true));
      case "INT64":
        return narrow(view.getBigInt64(at, true));
    }
  }
}

/** A number where that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
