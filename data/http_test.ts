import assert from "node:assert";
import { fetchPatiently, fetchWhole, type RequestOptions, streamRange } from "./http.ts";
import { rangeResponse, withServer } from "./testdata/server.ts";

const content = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);
const quick: RequestOptions = { firstDelay: 1, attempts: 3 };

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(await Array.fromAsync(stream, toBlobPart)).bytes());
}

const toBlobPart = (chunk: Uint8Array) => new Uint8Array(chunk);

/** A body that sends the first bytes of a response and then breaks the connection. */
async function broken(response: Response, bytes: number): Promise<Response> {
  const whole = await response.bytes();
  let sent = false;
  const body = new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("dropped"));
      else controller.enqueue(whole.subarray(0, bytes));
      sent = true;
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

Deno.test("overloaded answers are asked again, up to the number of attempts", async () => {
  for (const status of [408, 425, 429, 500, 502, 503, 504]) {
    let requests = 0;
    const handler = () => ++requests < 3 ? new Response("", { status }) : new Response("well");
    await withServer(handler, async (origin) => {
      assert.equal(await (await fetchPatiently(origin, quick)).text(), "well");
    });
    assert.equal(requests, 3);
  }
  await withServer(() => new Response("", { status: 503 }), async (origin) => {
    await assert.rejects(fetchPatiently(origin, quick), {
      name: "InputError",
      message: `${origin} cannot be reached (the server answers 503); ` +
        "check the address and the network, and try again",
    });
  });
});

Deno.test("other answers are final", async () => {
  let requests = 0;
  const handler = () => {
    requests++;
    return new Response("", { status: 404 });
  };
  await withServer(handler, async (origin) => {
    assert.equal((await fetchPatiently(origin, quick)).status, 404);
  });
  assert.equal(requests, 1);
});

Deno.test("Retry-After is respected, or reported where it is long", async () => {
  const times: number[] = [];
  const handler = () => {
    times.push(performance.now());
    const headers = { "retry-after": "0.2" };
    return times.length === 1 ? new Response("", { status: 429, headers }) : new Response("well");
  };
  await withServer(handler, async (origin) => {
    assert.equal((await fetchPatiently(origin, quick)).status, 200);
  });
  assert(times[1]! - times[0]! >= 190);
  const headers = { "retry-after": "3600" };
  await withServer(() => new Response("", { status: 429, headers }), async (origin) => {
    await assert.rejects(fetchPatiently(origin, quick), {
      name: "InputError",
      message: `${origin} cannot be reached (the server answers 429); try again in 3600 s`,
    });
  });
});

Deno.test("a dropped or short body is taken up where it broke off", async () => {
  const ranges: string[] = [];
  const handler = (request: Request) => {
    ranges.push(request.headers.get("range") ?? "");
    const response = rangeResponse(request, content);
    return ranges.length < 5 ? broken(response, 20_000) : response;
  };
  await withServer(handler, async (origin) => {
    const stream = streamRange(origin, 10, 99_000, content.length, quick);
    assert.deepStrictEqual(await collect(stream), content.slice(10, 99_000));
  });
  assert.equal(ranges[0], "bytes=10-98999");
  assert(ranges.length >= 5);
  const starts = ranges.map((range) => Number(/\d+/.exec(range)?.[0]));
  assert.deepStrictEqual(starts, starts.toSorted((a, b) => a - b));
  assert(starts.at(-1)! > 10);
});

Deno.test("a whole answer that is dropped half-way is asked for again", async () => {
  let requests = 0;
  const handler = () => {
    const whole = new Response(content, { status: 404, headers: { "x-note": "kept" } });
    return ++requests < 3 ? broken(whole, 30_000) : whole;
  };
  await withServer(handler, async (origin) => {
    const response = await fetchWhole(origin, quick);
    assert.deepStrictEqual(await response.bytes(), content);
    assert.deepStrictEqual([response.status, response.headers.get("x-note")], [404, "kept"]);
  });
});

Deno.test("a server that ignores ranges is resumed too", async () => {
  let requests = 0;
  const handler = () => {
    const whole = new Response(content);
    return ++requests < 3 ? broken(whole, 30_000) : whole;
  };
  await withServer(handler, async (origin) => {
    const stream = streamRange(origin, 20_000, 50_000, content.length, quick);
    assert.deepStrictEqual(await collect(stream), content.slice(20_000, 50_000));
  });
});

Deno.test("a connection that sends nothing is given up", async () => {
  const open: ReadableStreamDefaultController[] = [];
  const handler = () => {
    const body = new ReadableStream({
      start(controller) {
        open.push(controller);
        controller.enqueue(content.slice(0, 10));
      },
    });
    const headers = { "content-range": `bytes 0-99/100` };
    return new Response(body, { status: 206, headers });
  };
  await withServer(handler, async (origin) => {
    const stream = streamRange(origin, 0, 100, 100, { ...quick, attempts: 1, stallTimeout: 50 });
    await assert.rejects(collect(stream), {
      name: "InputError",
      message: / cannot be reached \(nothing came for 0.05 s\)/,
    });
  });
});

Deno.test("an abort ends the wait and the stream", async () => {
  const controller = new AbortController();
  const options = { ...quick, firstDelay: 60_000, signal: controller.signal };
  await withServer(() => new Response("", { status: 503 }), async (origin) => {
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(fetchPatiently(origin, options), { name: "AbortError" });
    await assert.rejects(collect(streamRange(origin, 0, 9, 9, options)), { name: "AbortError" });
  });
});

Deno.test("authorization does not follow a redirect to another server", async () => {
  const seen: (string | null)[] = [];
  const other = (request: Request) => {
    seen.push(request.headers.get("authorization"));
    return rangeResponse(request, content);
  };
  await withServer(other, async (elsewhere) => {
    await withServer((request) => {
      seen.push(request.headers.get("authorization"));
      return Response.redirect(`${elsewhere}/file`, 302);
    }, async (origin) => {
      const headers = { authorization: "Bearer secret" };
      const stream = streamRange(origin, 5, 9, content.length, { ...quick, headers });
      assert.deepStrictEqual(await collect(stream), content.slice(5, 9));
    });
  });
  assert.deepStrictEqual(seen, ["Bearer secret", null]);
});
