import { type ByteSource, checkRange } from "./byte_source.ts";
import {
  bodySize,
  fetchWhole,
  LongAnswerError,
  refusal,
  type RequestOptions,
  streamRange,
  strongTag,
  totalSize,
} from "./http.ts";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";
import { shownUrl } from "./shown_url.ts";

/**
 * A URL as a {@linkcode ByteSource}, read by HTTP range requests, which are repeated where they
 * fail for the moment. From a server that does not know ranges, files of at most 64 MiB are read
 * whole. Its name is the URL without passwords and the values of its query. Throws
 * {@linkcode InputError} where the server cannot be reached or refuses, or the file changes while it is read.
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
  const remote = await findRemoteFile(url, options);
  if (remote.bytes !== undefined) return memorySource(remote.bytes, remote.name);
  const { name, byteLength, stream } = remote;
  return {
    name,
    byteLength,
    async read(start: number, end: number): Promise<Uint8Array> {
      checkRange(start, end, byteLength);
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      for await (const chunk of stream(start, end)) {
        bytes.set(chunk, filled);
        filled += chunk.length;
      }
      return bytes;
    },
  };
}

/** A file on a server. */
export interface RemoteFile {
  /** Its URL without secrets, for messages. */
  readonly name: string;
  /** Its size. */
  readonly byteLength: number;
  /** Its entity tag, where that stands for its bytes. */
  readonly etag?: string;
  /** All of it, from a server that does not know ranges. */
  readonly bytes?: Uint8Array;
  /** Its bytes from `start` to before `end`, taken up again where the connection breaks off. */
  stream(start: number, end: number): AsyncIterable<Uint8Array>;
}

/**
 * Asks a server for a file's size; throws {@linkcode InputError} as {@linkcode openUrl} does. With
 * `inOrder`, which says that its bytes are going to be streamed once and in order, a server need not
 * know ranges, however long the file: what breaks off is sent again from the beginning, and what was
 * there already is skipped.
 */
export async function findRemoteFile(
  url: string | URL,
  options: RequestOptions = {},
  { inOrder = false }: { readonly inOrder?: boolean } = {},
): Promise<RemoteFile> {
  const address = String(url);
  const name = shownUrl(address);
  const streams = (response: Response) =>
    inOrder && response.status === 200 && bodySize(response) !== undefined;
  const response = await firstByteOrAll(address, options, streams);
  // A server that ignores Range sends everything.
  if ((response.status === 200 && !streams(response)) || response.status === 416) {
    const bytes = response.status === 200
      ? new Uint8Array(await response.arrayBuffer())
      : new Uint8Array();
    const stream = async function* (start: number, end: number) {
      yield bytes.subarray(start, end);
    };
    return { name, byteLength: bytes.length, bytes, stream };
  }
  if (response.status !== 206 && response.status !== 200) throw await refusal(name, response);
  const byteLength = response.status === 206 ? totalSize(response) : bodySize(response);
  if (byteLength === undefined || !Number.isSafeInteger(byteLength)) {
    throw new InputError(`${name}: the server does not say how long it is; download it first`);
  }
  const etag = strongTag(response);
  return {
    name,
    byteLength,
    ...(etag === undefined ? {} : { etag }),
    stream: (start, end) => streamRange(address, start, end, byteLength, options, etag),
  };
}

async function firstByteOrAll(
  url: string,
  options: RequestOptions,
  leaves: (response: Response) => boolean,
): Promise<Response> {
  try {
    return await fetchWhole(url, options, { headers: { range: "bytes=0-0" } }, leaves);
  } catch (error) {
    if (!(error instanceof LongAnswerError)) throw error;
    throw new InputError(
      `${shownUrl(url)}: more than 64 MiB from a server without range requests; download it first`,
      { cause: error },
    );
  }
}
