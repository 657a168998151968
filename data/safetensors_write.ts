import {
  alignedOrder,
  checkByteLength,
  encodeHeader,
  type TensorBytes,
} from "./safetensors_encode.ts";
import type { TensorInfo } from "./tensor.ts";
import { writeFileAtomically, type WriteOptions } from "./write_file.ts";

/** A tensor to be stored whose bytes are made when they are wanted. */
export interface LazyTensorBytes extends TensorInfo {
  /** Makes the bytes, or pieces of them in order: elements in row-major order, little-endian. */
  readonly bytes: () => Uint8Array | Promise<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes a safetensors file, one tensor or piece at a time, so that only one need be in memory; by way of
 * {@linkcode writeFileAtomically}. Same bytes as {@linkcode encodeSafetensors}, and same errors.
 *
 * ```ts
 * import { openFile, openSafetensors, writeSafetensors } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const path = `${Deno.makeTempDirSync()}/model.safetensors`;
 * await writeSafetensors(path, [
 *   { name: "a", dtype: "F32", shape: [2], bytes: () => new Uint8Array(8) },
 * ]);
 * const file = await openSafetensors(await openFile(path));
 * assert.deepEqual((await file.read("a")).data, Float32Array.of(0, 0));
 * ```
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly (TensorBytes | LazyTensorBytes)[],
  metadata: Readonly<Record<string, string>> = {},
  options: WriteOptions = {},
): Promise<void> {
  const ordered = alignedOrder(tensors);
  const head = encodeHeader(ordered, metadata);
  await writeFileAtomically(path, chunksOf(head, ordered), options);
}

async function* chunksOf(
  head: Uint8Array,
  tensors: readonly (TensorBytes | LazyTensorBytes)[],
): AsyncGenerator<Uint8Array> {
  yield head;
  for (const tensor of tensors) {
    const bytes = typeof tensor.bytes === "function" ? await tensor.bytes() : tensor.bytes;
    if (bytes instanceof Uint8Array) {
      checkByteLength(tensor, bytes);
      yield bytes;
      continue;
    }
    let length = 0;
    for await (const piece of bytes) {
      length += piece.length;
      yield piece;
    }
    checkByteLength(tensor, { length });
  }
}
