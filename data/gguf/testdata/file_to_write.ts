import { HeaderCursor } from "../header_cursor.ts";
import type { GgufValue } from "../metadata_value.ts";
import { ggmlByteLength, ggmlTypeById } from "../types.ts";
import type { FileToWrite, TensorToWrite } from "./gguf_bytes.ts";

/** A sound GGUF file in its parts, to be written again with changes. */
export function fileToWrite(bytes: Uint8Array): FileToWrite {
  const cursor = new HeaderCursor(bytes, (problem) => new Error(problem));
  cursor.skip(4);
  const version = cursor.uint32();
  const tensorCount = cursor.count(), metadataCount = cursor.count();
  const metadata: [string, GgufValue][] = [];
  for (let i = 0; i < metadataCount; i++) metadata.push([cursor.text(), cursor.value()]);
  const infos = Array.from({ length: tensorCount }, () => {
    const name = cursor.text();
    const shape = Array.from({ length: cursor.uint32() }, () => cursor.count()).reverse();
    return { name, shape, type: ggmlTypeById(cursor.uint32())!, offset: cursor.count() };
  });
  const start = Math.ceil(cursor.position / 32) * 32;
  const tensors = infos.map(({ name, shape, type, offset }): TensorToWrite => {
    const from = start + offset;
    const own = bytes.slice(from, from + ggmlByteLength(type, shape)!);
    return { name, shape, type: type.name, bytes: own };
  });
  return { version, metadata, tensors };
}
