import assert from "node:assert";
import { fetchWhole, type RequestOptions, streamRange } from "./http.ts";
import { openUrl } from "./url_source.ts";
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
      assert.equal(await (await fetchWhole(origin, quick)).text(), "well");
    });
    assert.equal(requests, 3);
  }
  await withServer(() => new Response("", { status: 503 }), async (origin) => {
    await assert.rejects(fetchWhole(origin, quick), {
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
    assert.equal((await fetchWhole(origin, quick)).status, 404);
  });
  assert.equal(requests, 1);
});

Deno.test("Retry-After is respected, or reported where it is long", async () => {
  let requests = 0;
  const handler = () => {
    const headers = { "retry-after": "0.2" };
    return ++requests === 1 ? new Response("", { status: 429, headers }) : new Response("well");
  };
  const { setTimeout } = globalThis;
  const waits: (number | undefined)[] = [];
  globalThis.setTimeout = ((work: () => void, milliseconds?: number) => {
    waits.push(milliseconds);
    return setTimeout(work, milliseconds);
  }) as typeof setTimeout;
  try {
    await withServer(handler, async (origin) => {
      assert.equal((await fetchWhole(origin, quick)).status, 200);
    });
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.ok(waits.includes(200), `${waits}`);
  const headers = { "retry-after": "3600" };
  await withServer(() => new Response("", { status: 429, headers }), async (origin) => {
    await assert.rejects(fetchWhole(origin, quick), {
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
      message: / cannot be reached \(only 10 bytes came for 0.05 s\)/,
    });
  });
});

/** A body that sends its bytes one by one, with pauses between them. */
function trickle(bytes: Uint8Array<ArrayBuffer>, milliseconds: number, init?: ResponseInit) {
  let at = 0;
  const body = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      controller.enqueue(bytes.subarray(at, ++at));
      if (at === bytes.length) controller.close();
    },
  });
  return new Response(body, init);
}

Deno.test("a connection that sends a byte now and then is given up", async () => {
  const bytes = content.slice(0, 300);
  const options = { ...quick, attempts: 2, stallTimeout: 100 };
  let requests = 0;
  const partial = (request: Request) => {
    requests++;
    const { status, headers } = rangeResponse(request, bytes);
    return trickle(bytes, 15, { status, headers });
  };
  await withServer(partial, async (origin) => {
    await assert.rejects(collect(streamRange(origin, 0, 300, 300, options)), {
      name: "InputError",
      message: / cannot be reached \((nothing|only \d+ bytes?) came for 0.1 s\)/,
    });
  });
  assert.equal(requests, 2);
  for (const status of [200, 404]) {
    const whole = () => trickle(bytes, 15, { status });
    await withServer(whole, async (origin) => {
      await assert.rejects(fetchWhole(origin, options), /(nothing|only \d+ bytes?) came for 0.1 s/);
    });
  }
});

Deno.test("a server that sends a byte a connection is given up", async () => {
  let requests = 0;
  const handler = (request: Request) => {
    requests++;
    return broken(rangeResponse(request, content), 1);
  };
  await withServer(handler, async (origin) => {
    await assert.rejects(collect(streamRange(origin, 0, 9000, content.length, quick)), {
      name: "InputError",
      message: / cannot be reached /,
    });
  });
  assert.equal(requests, 3);
});

Deno.test("a slow server that brings enough is waited for", async () => {
  const handler = (request: Request) => {
    const { status, headers } = rangeResponse(request, content.slice(0, 30));
    return trickle(content.slice(0, 30), 5, { status, headers });
  };
  await withServer(handler, async (origin) => {
    const stream = streamRange(origin, 0, 30, 30, { ...quick, attempts: 1 });
    assert.deepStrictEqual(await collect(stream), content.slice(0, 30));
  });
});

Deno.test("passwords and signatures in an address are in no error", async () => {
  const secret = "sesame";
  const place = (origin: string) =>
    `${origin.replace("://", `://me:${secret}@`)}/file?signature=${secret}`;
  const checkMessage = (error: Error) => {
    assert.equal(error.name, "InputError");
    assert.ok(!error.message.includes(secret) && error.message.includes("/file?…"), error.message);
    return true;
  };
  const statuses = [404, 500, 206];
  for (const status of statuses) {
    await withServer(() => new Response("", { status }), async (origin) => {
      await assert.rejects(openUrl(place(origin), quick), checkMessage);
      const stream = streamRange(place(origin), 0, 9, 9, quick);
      await assert.rejects(collect(stream), checkMessage);
    });
  }
  const nowhere = openUrl(place("http://127.0.0.1:1"), quick);
  await assert.rejects(nowhere, checkMessage);
  await withServer((request) => rangeResponse(request, content), async (origin) => {
    assert.equal((await openUrl(place(origin))).name, `${origin}/file?…`);
  });
});

Deno.test("an abort ends the wait and the stream", async () => {
  const controller = new AbortController();
  const options = { ...quick, firstDelay: 60_000, signal: controller.signal };
  await withServer(() => new Response("", { status: 503 }), async (origin) => {
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(fetchWhole(origin, options), { name: "AbortError" });
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
