import { InputError } from "../../data/input_error.ts";

/** Called with the share of the bytes that have come, 0 to 1. */
export type ReadProgress = (share: number) => void;

/** Reads a file of the server, and tells how far it is where the server names the size. */
export async function fetchBytes(url: string, onProgress?: ReadProgress): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new InputError(`${url}: the server answers ${response.status}; reload the page`);
  }
  const total = Number(response.headers.get("content-length") ?? 0);
  return await collect(response.body, total, onProgress);
}

/** Reads a file that the user has chosen. */
export async function readBytes(file: File, onProgress?: ReadProgress): Promise<Uint8Array> {
  return await collect(file.stream(), file.size, onProgress);
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  total: number,
  onProgress: ReadProgress | undefined,
): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  let size = 0;
  while (true) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
    if (total > 0) onProgress?.(Math.min(1, size / total));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
