/** Local HTTP servers for tests. */

/** Answers a request for a file of these bytes, or for a range of it. */
export function rangeResponse(
  request: Request,
  bytes: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "");
  if (range === null) return new Response(bytes, { headers });
  const start = Number(range[1]);
  const end = Math.min(Number(range[2]) + 1, bytes.length);
  if (start >= bytes.length) return new Response(null, { status: 416 });
  const partial = { ...headers, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` };
  return new Response(bytes.slice(start, end), { status: 206, headers: partial });
}

/** Runs with a server on the loopback interface, and stops it. */
export async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  run: (origin: string) => Promise<void>,
): Promise<void> {
  const onError = () => new Response("the handler failed", { status: 500 });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, onError }, handler);
  try {
    await run(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}
