import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { ByteSource } from "../data/byte_source.ts";
import { errorCode } from "../data/file_error.ts";
import { InputError } from "../data/input_error.ts";
import { isOwnHost, securityHeaders } from "./page_security.ts";
import type { Site } from "./site.ts";

/** How the demo is served. */
export interface ServeOptions {
  /** Port on the loopback interface; 0 takes a free one. */
  readonly port: number;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

/** A running server. */
export interface DemoServer {
  /** Address of the page. */
  readonly url: string;
  /** Resolves when the server has ended. */
  readonly finished: Promise<void>;
}

/** What the server answers. */
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  jinja: "text/plain; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  md: "text/plain; charset=utf-8",
  safetensors: "application/octet-stream",
  wasm: "application/wasm",
};

/** What compressed models are not: much smaller when they are packed once more. */
const PACKED = new Set(["css", "html", "jinja", "js", "json", "md", "wasm"]);

/** Serves a site on 127.0.0.1. Throws {@linkcode InputError} where the port is taken. */
export async function serveDemo(
  site: Site,
  { port, signal }: ServeOptions,
): Promise<DemoServer> {
  const pack = packer();
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await respond(request, site, portOf(server.address()), pack)
      .catch(() => refuse(500, "failed"));
    response.writeHead(status, headers);
    response.end(body);
  });
  const finished = new Promise<void>((resolve) => server.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  }).catch((error: unknown) => {
    if (errorCode(error) !== "EADDRINUSE") throw error;
    throw new InputError(`port ${port} is taken; choose another one with --port`);
  });
  signal.addEventListener("abort", () => {
    server.close();
    server.closeAllConnections();
  }, { once: true });
  return { url: `http://127.0.0.1:${portOf(server.address())}/`, finished };
}

function portOf(address: AddressInfo | string | null): number {
  return (address as AddressInfo).port;
}

async function respond(
  request: IncomingMessage,
  site: Site,
  port: number,
  pack: Pack,
): Promise<Answer> {
  const [pathname = "/"] = (request.url ?? "/").split("?");
  const path = pathname === "/" ? "index.html" : pathname.slice(1);
  const open = site.get(path);
  if (!isOwnHost(request.headers.host ?? null, port)) {
    return await refuse(421, `this server is http://127.0.0.1:${port}/`);
  }
  if (open === undefined) return await refuse(404, "not found");
  if (request.method !== "GET") return await refuse(405, "only GET");
  let source: ByteSource, bytes: Uint8Array;
  let range: readonly [start: number, end: number] | undefined;
  try {
    source = await open();
    range = rangeOf(request.headers.range, source.byteLength);
    bytes = await source.read(...(range ?? [0, source.byteLength]));
  } catch (error) {
    // Such as a model that was deleted meanwhile.
    if (!(error instanceof InputError)) throw error;
    return await refuse(500, error.message);
  }
  const type = path.slice(path.lastIndexOf(".") + 1);
  const packs = range === undefined && PACKED.has(type);
  const encoding = packs ? encodingFor(request.headers["accept-encoding"]) : undefined;
  const body = encoding === undefined ? bytes : await pack(path, bytes, encoding);
  const headers = {
    ...await securityHeaders(type === "html" ? bytes : undefined),
    "content-type": TYPES[type] ?? "application/octet-stream",
    "content-length": String(body.length),
    "cache-control": "no-store",
    ...(packs ? { vary: "accept-encoding" } : { "accept-ranges": "bytes" }),
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    ...(range === undefined
      ? {}
      : { "content-range": `bytes ${range[0]}-${range[1] - 1}/${source.byteLength}` }),
  };
  return { status: range === undefined ? 200 : 206, headers, body };
}

type Encoding = "br" | "gzip";
type Pack = (path: string, bytes: Uint8Array, encoding: Encoding) => Promise<Uint8Array>;

/** The best encoding that a browser takes, if any. */
function encodingFor(accepted: string | string[] | undefined): Encoding | undefined {
  const names = String(accepted ?? "").split(",").map((part) => part.split(";")[0]!.trim());
  return (["br", "gzip"] as const).find((name) => names.includes(name));
}

/** Packs files, and remembers the last answer for each while its bytes are as long. */
function packer(): Pack {
  const done = new Map<string, { length: number; packed: Promise<Uint8Array> }>();
  return async (path, bytes, encoding) => {
    const key = `${encoding} ${path}`;
    const known = done.get(key);
    if (known?.length === bytes.length) return await known.packed;
    const packed = encoding === "br"
      ? promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
      : promisify(gzip)(bytes);
    done.set(key, { length: bytes.length, packed });
    return await packed;
  };
}

/** The bytes that a request asks for, as far as they are there; undefined where it asks for all. */
function rangeOf(
  header: string | undefined,
  byteLength: number,
): readonly [start: number, end: number] | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header ?? "") ?? [];
  const start = Number(from), end = to ? Math.min(Number(to) + 1, byteLength) : byteLength;
  return start < end ? [start, end] : undefined;
}

async function refuse(status: number, reason: string): Promise<Answer> {
  return { status, headers: await securityHeaders(), body: reason };
}
