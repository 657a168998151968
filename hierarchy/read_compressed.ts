import type { ByteSource } from "../data/byte_source.ts";
import { memorySource } from "../data/memory_source.ts";
import { type CompressedSource, sourceOf } from "./decode_container.ts";

/** A compressed model, or one that is still arriving: the body of a response. */
export type CompressedInput = CompressedSource | ReadableStream<Uint8Array>;

/** A compressed model as a byte source, once all of it has arrived; the signal ends the waiting. */
export async function readCompressed(
  compressed: CompressedInput,
  signal?: AbortSignal,
): Promise<ByteSource> {
  if (!(compressed instanceof ReadableStream)) return sourceOf(compressed);
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  const reader = compressed.getReader();
  const cancel = () => void reader.cancel(signal!.reason);
  signal?.addEventListener("abort", cancel);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) break;
      parts.push(value);
      byteLength += value.length;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    reader.releaseLock();
  }
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return memorySource(bytes, "compressed model");
}
