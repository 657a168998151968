import { type ByteSource, readInto } from "./byte_source.ts";
import { bytesPerElement } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { quote } from "./quote.ts";
import { readSafetensorsHeader, type SafetensorsTensor } from "./safetensors_header.ts";
import { type DType, elementCount, type WeightSource, type WeightTensor } from "./tensor.ts";
import { toFloat32 } from "./to_float32.ts";

/** Values that are converted at once: what is read beside the result stays small. */
const piece = 2 ** 20;

/** An open safetensors file; tensors are read when asked for. */
export interface SafetensorsFile extends WeightSource {
  /** Every tensor and where it is, in the order of their bytes. */
  readonly tensors: readonly SafetensorsTensor[];
  /** The file's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Size of the file. */
  readonly byteLength: number;
  /**
   * Reads one tensor's bytes as they are stored; throws {@linkcode InputError} if there is no
   * such tensor. The result may be a view of memory that the source keeps.
   */
  readBytes(name: string): Promise<Uint8Array>;
  /** Reads some rows of a tensor, and no other bytes. */
  readRows(name: string, rows: Int32Array): Promise<WeightTensor>;
  /** The file's name. */
  fileOf(name: string): string;
}

/**
 * Opens a safetensors file; reads and checks its header only. Throws {@linkcode InputError} as
 * {@linkcode readSafetensorsHeader} does.
 *
 * ```ts
 * import { encodeSafetensors, memorySource, openSafetensors } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const bytes = encodeSafetensors([
 *   { name: "bias", dtype: "F16", shape: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0xc0) },
 * ]);
 * const file = await openSafetensors(memorySource(bytes, "model.safetensors"));
 * assert.deepEqual((await file.read("bias")).data, Float32Array.of(1, -2));
 * ```
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const { tensors, metadata, dataStart } = await readSafetensorsHeader(source);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));

  function find(name: string): SafetensorsTensor {
    const tensor = byName.get(name);
    if (tensor !== undefined) return tensor;
    throw new InputError(
      `${source.name}: has no tensor ${quote(name)}; check that config.json belongs to this file`,
    );
  }

  async function readBytes(name: string): Promise<Uint8Array> {
    const { start, end } = find(name);
    return await source.read(dataStart + start, dataStart + end);
  }

  async function read(name: string): Promise<WeightTensor> {
    const { dtype, shape, start } = find(name);
    const data = new Float32Array(elementCount(shape));
    await fill(data, dtype, start, name);
    return { dtype, shape, data };
  }

  async function readRows(name: string, rows: Int32Array): Promise<WeightTensor> {
    const { dtype, shape, start } = find(name);
    const size = elementCount(shape.slice(1));
    const rowBytes = size * bytesPerElement(dtype);
    const data = new Float32Array(rows.length * size);
    for (let first = 0; first < rows.length;) {
      // Rows that follow each other are read at once.
      let end = first + 1;
      while (end < rows.length && rows[end] === rows[end - 1]! + 1) end++;
      const part = data.subarray(first * size, end * size);
      await fill(part, dtype, start + rows[first]! * rowBytes, name);
      first = end;
    }
    return { dtype, shape: [rows.length, ...shape.slice(1)], data };
  }

  /** Fills `target` with the values from byte `start` of the data on. */
  async function fill(
    target: Float32Array,
    dtype: DType,
    start: number,
    name: string,
  ): Promise<void> {
    const from = dataStart + start;
    if (dtype === "F32") {
      const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
      return await readInto(source, bytes, from);
    }
    const where = `${source.name}: tensor ${quote(name)}`;
    const size = bytesPerElement(dtype);
    for (let first = 0; first < target.length; first += piece) {
      const end = Math.min(target.length, first + piece);
      const bytes = await source.read(from + first * size, from + end * size);
      target.set(toFloat32(dtype, bytes, where, first), first);
    }
  }

  const { name: file, byteLength } = source;
  return { tensors, metadata, byteLength, readBytes, read, readRows, fileOf: () => file };
}
