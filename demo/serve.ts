import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { ByteSource } from "../data/byte_source.ts";
import { openFile } from "../data/file_source.ts";
import { errorCode } from "../data/file_error.ts";
import { memorySource } from "../data/memory_source.ts";
import { InputError } from "../data/input_error.ts";
import { isOwnHost, securityHeaders } from "./page_security.ts";
import type { ServedModel } from "./served_model.ts";

/** A compressed model with its tokenizer, to be offered to the page. */
export interface DemoModel {
  /** What the page calls it. */
  readonly name: string;
  /** The `.kan.safetensors` file. */
  readonly source: ByteSource;
  /** Its `tokenizer.json`. */
  readonly tokenizer: ByteSource;
  /** Its `tokenizer_config.json`, if there is one. */
  readonly tokenizerConfig?: ByteSource;
  /** Its `generation_config.json`, if there is one. */
  readonly generationConfig?: ByteSource;
  /** Its `chat_template.jinja`, if there is one. */
  readonly chatTemplate?: ByteSource;
}

/** How the demo is served. */
export interface ServeOptions {
  /** Port on the loopback interface; 0 takes a free one. */
  readonly port: number;
  /** Ends the server. */
  readonly signal: AbortSignal;
  /** Folder URL of the bundled scripts; `demo/dist` if omitted. */
  readonly scripts?: URL;
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

/** Gives what is at a path. */
type Route = () => Promise<ByteSource>;

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
  safetensors: "application/octet-stream",
  wasm: "application/wasm",
};

/**
 * Serves the demo page, its scripts, tfjs's WASM files and compressed models on 127.0.0.1. Throws
 * {@linkcode InputError} where the scripts have not been bundled or the port is taken.
 */
export async function serveDemo(
  models: readonly DemoModel[],
  { port, signal, scripts = new URL("./dist/", import.meta.url) }: ServeOptions,
): Promise<DemoServer> {
  const routes = new Map([
    ...pageRoutes(),
    ...await scriptRoutes(scripts),
    ...wasmRoutes(),
    ...modelRoutes(models),
  ]);
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await respond(request, routes, portOf(server.address()))
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
  routes: ReadonlyMap<string, Route>,
  port: number,
): Promise<Answer> {
  const [pathname] = (request.url ?? "/").split("?");
  const path = pathname === "/" ? "/index.html" : pathname!;
  const route = routes.get(path);
  if (!isOwnHost(request.headers.host ?? null, port)) {
    return await refuse(421, `this server is http://127.0.0.1:${port}/`);
  }
  if (route === undefined) return await refuse(404, "not found");
  if (request.method !== "GET") return await refuse(405, "only GET");
  let source: ByteSource, bytes: Uint8Array;
  let range: readonly [start: number, end: number] | undefined;
  try {
    source = await route();
    range = rangeOf(request.headers.range, source.byteLength);
    bytes = await source.read(...(range ?? [0, source.byteLength]));
  } catch (error) {
    // Such as a model that was deleted meanwhile.
    if (!(error instanceof InputError)) throw error;
    return await refuse(500, error.message);
  }
  const type = path.slice(path.lastIndexOf(".") + 1);
  const headers = {
    ...await securityHeaders(type === "html" ? bytes : undefined),
    "content-type": TYPES[type] ?? "application/octet-stream",
    "content-length": String(bytes.length),
    "cache-control": "no-store",
    "accept-ranges": "bytes",
    ...(range === undefined
      ? {}
      : { "content-range": `bytes ${range[0]}-${range[1] - 1}/${source.byteLength}` }),
  };
  return { status: range === undefined ? 200 : 206, headers, body: bytes };
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

function inMemory(bytes: Uint8Array): Route {
  return () => Promise.resolve(memorySource(bytes, "made by the server"));
}

function fileRoute(url: URL): Route {
  return async () => await openFile(fileURLToPath(url));
}

function pageRoutes(): [string, Route][] {
  return ["index.html", "style.css", "plain.html"].map((
    name,
  ) => [`/${name}`, fileRoute(new URL(`./page/${name}`, import.meta.url))]);
}

/** The bundled scripts. */
const SCRIPTS = ["app.js", "model_worker.js", "decompress.js", "download.js", "decode_worker.js"];

async function scriptRoutes(folder: URL): Promise<[string, Route][]> {
  const routes: [string, Route][] = [];
  for (const name of SCRIPTS) {
    const url = new URL(name, folder);
    try {
      await openFile(fileURLToPath(url));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(
        "the page's scripts are not bundled; run deno task demo in a checkout of kanpress",
        { cause: error },
      );
    }
    routes.push([`/${name}`, fileRoute(url)]);
  }
  return routes;
}

function wasmRoutes(): [string, Route][] {
  const names = ["tfjs-backend-wasm", "tfjs-backend-wasm-simd", "tfjs-backend-wasm-threaded-simd"];
  return names.map((name) => {
    const url = import.meta.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}.wasm`);
    return [`/wasm/${name}.wasm`, fileRoute(new URL(url))];
  });
}

function modelRoutes(models: readonly DemoModel[]): [string, Route][] {
  const served: ServedModel[] = models.map(({ name, source }, index) => ({
    name,
    bytes: source.byteLength,
    folder: `models/${index}`,
  }));
  const list = new TextEncoder().encode(JSON.stringify(served));
  const orElse = (file: ByteSource | undefined, absent: string): Route =>
    file === undefined ? inMemory(new TextEncoder().encode(absent)) : () => Promise.resolve(file);
  const routes: [string, Route][] = [["/models.json", inMemory(list)]];
  for (const [index, { source, tokenizer, ...files }] of models.entries()) {
    const folder = `/models/${index}`;
    routes.push(
      [`${folder}/model.kan.safetensors`, () => Promise.resolve(source)],
      [`${folder}/tokenizer.json`, () => Promise.resolve(tokenizer)],
      [`${folder}/tokenizer_config.json`, orElse(files.tokenizerConfig, "{}")],
      [`${folder}/generation_config.json`, orElse(files.generationConfig, "{}")],
      [`${folder}/chat_template.jinja`, orElse(files.chatTemplate, "")],
    );
  }
  return routes;
}
