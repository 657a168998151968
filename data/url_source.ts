import { type ByteSource, checkRange } from "./byte_source.ts";
import { fetchPatiently, refusal, type RequestOptions, streamRange, totalSize } from "./http.ts";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";

// A server that ignores Range sends everything; up to this size that is kept in memory.
const largestWhole = 2 ** 26;

/**
 * A URL as a {@linkcode ByteSource}, read by HTTP range requests, which are repeated where they
 * fail for the moment. From a server that does not know ranges, files of at most 64 MiB are read
 * whole. Throws {@linkcode InputError} where the server cannot be reached or refuses.
 *
 * ```ts
 * import { openUrl } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const server = Deno.serve(
 *   { port: 0, hostname: "127.0.0.1", onListen() {} },
 *   () => new Response("hello"),
 * );
 * const source = await openUrl(`http://127.0.0.1:${server.addr.port}/greeting`);
 * assert.equal(new TextDecoder().decode(await source.read(1, 3)), "el");
 * await server.shutdown();
 * ```
 */
export async function openUrl(
  url: string | URL,
  options: RequestOptions = {},
): Promise<ByteSource> {
  const name = String(url);
  const response = await fetchPatiently(name, options, { headers: { range: "bytes=0-0" } });
  if (response.status === 200) return memorySource(await wholeBody(name, response), name);
  if (response.status === 416) {
    await response.body?.cancel();
    return memorySource(new Uint8Array(), name);
  }
  if (response.status !== 206) throw await refusal(name, response);
  await response.body?.cancel();
  const byteLength = totalSize(response);
  if (byteLength === undefined) {
    throw new InputError(`${name}: the server does not say how long it is; download it first`);
  }
  return {
    name,
    byteLength,
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, byteLength);
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      for await (const chunk of streamRange(name, start, end, byteLength, options)) {
        bytes.set(chunk, filled);
        filled += chunk.length;
      }
      return bytes;
    },
  };
}

async function wholeBody(url: string, response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > largestWhole) {
        throw new InputError(
          `${url}: more than 64 MiB from a server without range requests; download it first`,
        );
      }
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${url}: the connection was dropped; try again`, { cause: error });
  }
  return await new Blob(chunks).bytes();
}
