/** An imitation of the part of the Hugging Face hub that downloads use, with faults on demand. */
import { createHash } from "node:crypto";
import { rangeResponse } from "./server.ts";

/** A repository and what is wrong with its server. */
export interface FakeHub {
  /** Every model by its name. */
  readonly models: Readonly<Record<string, FakeModel>>;
  /** Requests so far, as `METHOD path range`. */
  readonly requests: string[];
  /** Where large files really are; here by default. */
  readonly storage?: string;
  /** The token that is asked for. */
  readonly token?: string;
  /** Answers instead of the server where it returns a response. */
  readonly fault?: (request: Request, count: number) => Response | undefined;
}

/** One commit of a model. */
export interface FakeModel {
  /** Commit of `main`. */
  readonly commit: string;
  /** Contents by file name. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** Answers a request as the hub would. */
export function hubHandler(hub: FakeHub): (request: Request) => Response {
  return (request) => {
    const { pathname } = new URL(request.url);
    const range = request.headers.get("range");
    hub.requests.push(range === null ? pathname : `${pathname} ${range}`);
    const fault = hub.fault?.(request, hub.requests.length);
    if (fault !== undefined) return fault;
    if (pathname.startsWith("/storage/")) return stored(hub, request, pathname.slice(9));
    const authorized = request.headers.get("authorization") === `Bearer ${hub.token}`;
    if (hub.token !== undefined && !authorized) return apiError(401, "RepoNotFound");
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^/]+)\/?(.*)$/.exec(pathname);
    if (api !== null) return answerApi(hub, request, api[1]!, api[2]!, api[3]!, api[4]);
    const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
    return file === null ? apiError(404, "") : resolve(hub, request, file[1]!, file[2]!, file[3]!);
  };
}

const isLarge = (name: string) => /\.(safetensors|gguf)$/.test(name);

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The hash that git gives a file. */
export function gitSha1(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

function answerApi(
  hub: FakeHub,
  request: Request,
  id: string,
  kind: string,
  revision: string,
  folder = "",
): Response {
  const model = hub.models[id];
  if (model === undefined) return apiError(401, "RepoNotFound");
  if (revision !== "main" && revision !== model.commit) return apiError(404, "RevisionNotFound");
  if (kind === "revision") return Response.json({ _id: "1", id, sha: model.commit });
  const listed = Object.entries(model.files).filter(([path]) =>
    path.slice(0, Math.max(0, path.lastIndexOf("/"))) === folder
  );
  const entries = listed.map(([path, bytes]) => ({
    type: "file",
    path,
    size: bytes.length,
    // A large file's entry in git is a pointer to it.
    oid: isLarge(path) ? gitSha1(bytes.subarray(0, 10)) : gitSha1(bytes),
    ...(isLarge(path) ? { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : {}),
  }));
  const url = new URL(request.url);
  const page = Number(url.searchParams.get("page") ?? 0);
  const pages = [[{ type: "directory", path: "onnx", size: 0, oid: "x" }], entries];
  url.searchParams.set("page", String(page + 1));
  const headers = new Headers(page === 0 ? { link: `<${url}>; rel="next"` } : {});
  return Response.json(pages[page] ?? [], { headers });
}

function resolve(
  hub: FakeHub,
  request: Request,
  id: string,
  commit: string,
  name: string,
): Response {
  const model = hub.models[id];
  const bytes = model?.files[name];
  if (model?.commit !== commit || bytes === undefined) return apiError(404, "EntryNotFound");
  if (!isLarge(name)) return rangeResponse(request, bytes, { etag: `"${gitSha1(bytes)}"` });
  const storage = hub.storage ?? new URL(request.url).origin;
  return Response.redirect(`${storage}/storage/${sha256(bytes)}`, 302);
}

function stored(hub: FakeHub, request: Request, hash: string): Response {
  if (request.headers.has("authorization") && hub.storage !== undefined) {
    return apiError(400, "the token has reached the storage");
  }
  for (const model of Object.values(hub.models)) {
    const found = Object.values(model.files).find((bytes) => sha256(bytes) === hash);
    if (found !== undefined) return rangeResponse(request, found);
  }
  return apiError(404, "");
}

function apiError(status: number, code: string): Response {
  return Response.json({ error: "no" }, { status, headers: { "x-error-code": code } });
}
