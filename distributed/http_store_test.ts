import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { createHttpStore } from "./http_store.ts";
import { openSharedStore } from "./shared_store.ts";
import type { RedisLink } from "./redis_link.ts";

/** A server with entries, as simple as an S3-compatible one may be. */
function serve(entries: Map<string, Uint8Array>, failures: number[] = []) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const status = failures.shift();
    if (status !== undefined) return new Response("no", { status });
    if (request.headers.get("authorization") !== "Bearer open") {
      return new Response(null, { status: 403 });
    }
    const name = new URL(request.url).pathname.replace("/bucket/", "");
    const found = entries.get(name);
    switch (request.method) {
      case "PUT":
        entries.set(name, await request.bytes());
        return new Response(null, { status: 200 });
      case "DELETE":
        entries.delete(name);
        return new Response(null, { status: 204 });
      default:
        if (found === undefined) return new Response(null, { status: 404 });
        return new Response(request.method === "HEAD" ? null : found.slice());
    }
  });
}

Deno.test("entries are put, got, sealed and removed by address", async () => {
  const entries = new Map<string, Uint8Array>(), failures: number[] = [];
  await using server = serve(entries, failures);
  const base = `http://127.0.0.1:${server.addr.port}/bucket/`;
  const store = createHttpStore(base, { token: "open", pauses: [1, 1] });
  assert.equal(await store.get("a"), undefined);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
  failures.push(503, 429);
  await store.put("a", bytes);
  assert.deepEqual([...entries.keys()], ["a"]);
  assert.deepEqual([await store.has("a"), await store.has("b")], [true, false]);
  assert.deepEqual(await store.get("a"), bytes);
  entries.get("a")![500]! ^= 1;
  assert.equal(await store.get("a"), undefined);
  assert.equal(entries.size, 0, "what is damaged is removed");
  await assert.rejects(store.put("../a", bytes), InputError);
  failures.push(500, 500, 500);
  await assert.rejects(store.has("a"), /127\.0\.0\.1:\d+\/bucket\/: answers HEAD with 500/);
  const closed = createHttpStore(base.replace("http://", "http://u:secret@"), { pauses: [] });
  await assert.rejects(closed.has("a"), (error) => {
    assert.ok(error instanceof InputError);
    return !error.message.includes("secret");
  });
});

Deno.test("machines with one store know it by one name", async () => {
  await using server = serve(new Map());
  const link = {} as RedisLink;
  const place = `http://127.0.0.1:${server.addr.port}/bucket`;
  const labels = await Promise.all([1, 2, 3].map(() => openSharedStore(place, link, "open")));
  assert.match(labels[0]!.label, /^[\da-f]{8}$/);
  assert.equal(new Set(labels.map(({ label }) => label)).size, 1);
  await assert.rejects(openSharedStore("ftp://h/x", link), /begins with https/);
});
