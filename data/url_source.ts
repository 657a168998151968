import { type ByteSource, checkRange } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";

// A server that ignores Range sends everything; up to this size that is kept in memory.
const largestWhole = 2 ** 26;

/**
 * A URL as a {@linkcode ByteSource}, read by HTTP range requests. From a server that does not know
 * ranges, files of at most 64 MiB are read whole. Throws {@linkcode InputError} where the server
 * cannot be reached or refuses.
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
export async function openUrl(url: string | URL): Promise<ByteSource> {
  const name = String(url);
  const response = await request(name, "bytes=0-0");
  if (response.status === 200) return await wholeBody(name, response);
  await response.body?.cancel();
  if (response.status === 416) return memorySource(new Uint8Array(), name);
  const byteLength = totalSize(name, response);
  return {
    name,
    byteLength,
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, byteLength);
      return start === end ? new Uint8Array() : await readRange(name, start, end, byteLength);
    },
  };
}

async function readRange(
  url: string,
  start: number,
  end: number,
  byteLength: number,
): Promise<Uint8Array> {
  const response = await request(url, `bytes=${start}-${end - 1}`);
  if (response.status !== 206 || totalSize(url, response) !== byteLength) {
    await response.body?.cancel();
    throw new InputError(`${url}: changed on the server while it was being read; start again`);
  }
  const bytes = await body(url, response);
  if (bytes.length !== end - start) {
    throw new InputError(
      `${url}: the server sent ${bytes.length} of ${end - start} bytes; try again`,
    );
  }
  return bytes;
}

async function request(url: string, range: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { range } });
  } catch (error) {
    throw unreachable(url, error);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  throw new InputError(`${url}: the server answers ${response.status}; check the address`);
}

async function body(url: string, response: Response): Promise<Uint8Array> {
  try {
    return await response.bytes();
  } catch (error) {
    throw unreachable(url, error);
  }
}

function unreachable(url: string, error: unknown): InputError {
  const detail = error instanceof Error ? error.message : String(error);
  return new InputError(
    `${url}: cannot be read (${detail.replaceAll(/\s+/g, " ")}); check the address and network`,
    { cause: error },
  );
}

async function wholeBody(url: string, response: Response): Promise<ByteSource> {
  const size = Number(response.headers.get("content-length") ?? 0);
  if (size > largestWhole) {
    await response.body?.cancel();
    throw new InputError(
      `${url}: ${size} bytes from a server without range requests; download it first`,
    );
  }
  return memorySource(await body(url, response), url);
}

function totalSize(url: string, response: Response): number {
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (total === undefined) {
    throw new InputError(`${url}: the server does not say how long it is; download it first`);
  }
  return Number(total);
}
