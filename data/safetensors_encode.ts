import { bytesPerElement } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { quote } from "./quote.ts";
import { largestHeader, lengthBytes } from "./safetensors_header.ts";
import { elementCount, type TensorInfo } from "./tensor.ts";

/** A tensor with its bytes, to be stored. */
export interface TensorBytes extends TensorInfo {
  /** Elements in row-major order, little-endian. */
  readonly bytes: Uint8Array;
}

/**
 * Encodes tensors as a safetensors file in memory. The same input gives the same bytes.
 *
 * Wider elements come first, which keeps every tensor aligned, and otherwise the order stays.
 * Throws an {@linkcode InputError} if a name is repeated or reserved, or bytes and shape
 * disagree.
 *
 * ```ts
 * import { encodeSafetensors } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const bytes = encodeSafetensors([{ name: "a", dtype: "U8", shape: [1], bytes: Uint8Array.of(7) }]);
 * assert.equal(bytes.at(-1), 7);
 * ```
 */
export function encodeSafetensors(
  tensors: readonly TensorBytes[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const ordered = alignedOrder(tensors);
  const head = encodeHeader(ordered, metadata);
  for (const tensor of ordered) checkByteLength(tensor, tensor.bytes);
  return joinBytes([head, ...ordered.map(({ bytes }) => bytes)]);
}

/** All of some bytes, in memory of their own. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}

/** The tensors with wider elements first, otherwise in the order given. */
export function alignedOrder<Tensor extends TensorInfo>(tensors: readonly Tensor[]): Tensor[] {
  return tensors.toSorted((a, b) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype));
}

/** Bytes that a tensor's values take. */
export function tensorByteLength(tensor: TensorInfo): number {
  return elementCount(tensor.shape) * bytesPerElement(tensor.dtype);
}

/** Throws an {@linkcode InputError} unless the bytes are as many as shape and dtype ask for. */
export function checkByteLength(tensor: TensorInfo, bytes: { readonly length: number }): void {
  const expected = tensorByteLength(tensor);
  if (bytes.length === expected) return;
  throw new InputError(
    `tensor ${quote(tensor.name)} of shape [${tensor.shape.join(", ")}] needs ${expected} bytes ` +
      `as ${tensor.dtype}, and was given ${bytes.length}`,
  );
}

/**
 * Length and header of a safetensors file whose tensors follow in the order given. Throws an
 * {@linkcode InputError} where names or shapes are not allowed.
 */
export function encodeHeader(
  tensors: readonly TensorInfo[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(["__metadata__", metadata]);
  const names = new Set(["__metadata__"]);
  let start = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    if (names.has(name)) {
      throw new InputError(`tensor ${quote(name)}: the name is taken; rename it`);
    }
    names.add(name);
    if (!name.isWellFormed()) {
      throw new InputError(`tensor ${quote(name)}: the name is not Unicode; rename it`);
    }
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new InputError(
        `tensor ${quote(name)} has the shape [${
          shape.join(", ")
        }], which is not a list of natural ` +
          `numbers; correct it`,
      );
    }
    const end = start + tensorByteLength(tensor);
    entries.push([name, { dtype, shape, data_offsets: [start, end] }]);
    start = end;
  }
  const json = new TextEncoder().encode(stringifyEntries(entries));
  // Spaces up to a multiple of 8 align the first tensor.
  const length = Math.ceil(json.length / 8) * 8;
  if (length > largestHeader) {
    throw new InputError(
      `${tensors.length} tensors need a header of ${length} bytes, where 100 MB is the limit; ` +
        `store them in several files`,
    );
  }
  const head = new Uint8Array(lengthBytes + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, lengthBytes);
  return head;
}

/** As `JSON.stringify` of an object, but keys such as "1" and "__proto__" stay in their place. */
function stringifyEntries(entries: readonly [string, unknown][]): string {
  const fields = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${fields.join(",")}}`;
}
