import assert from "node:assert";
import { join } from "node:path";
import fc from "fast-check";
import { type ByteSource, readAll, readInto } from "./byte_source.ts";
import { openFile } from "./file_source.ts";
import { memorySource } from "./memory_source.ts";
import { rangeResponse, withServer } from "./testdata/server.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";
import { openUrl } from "./url_source.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);

const rangeServer = (bytes: Uint8Array<ArrayBuffer>) => (request: Request) =>
  rangeResponse(request, bytes);

async function checkRanges(source: ByteSource): Promise<void> {
  assert.equal(source.byteLength, content.length);
  assert.deepStrictEqual(await readAll(source), content);
  assert.deepStrictEqual(await source.read(1000, 1000), new Uint8Array());
  await fc.assert(
    fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      assert.deepStrictEqual(await source.read(start, end), content.slice(start, end));
      const target = new Uint8Array(end - start + 2);
      await readInto(source, target.subarray(1, -1), start);
      assert.deepStrictEqual(target, Uint8Array.of(0, ...content.subarray(start, end), 0));
    }),
    { seed: 7, numRuns: 30 },
  );
  for (const [start, end] of [[-1, 2], [3, 2], [0, 1001], [0.5, 1], [NaN, 1]] as const) {
    await assert.rejects(source.read(start, end), RangeError);
  }
  for (const start of [-1, 999, 0.5]) {
    await assert.rejects(readInto(source, new Uint8Array(2), start), RangeError);
  }
}

Deno.test("any range of memory, a file or a URL can be read", async () => {
  await checkRanges(memorySource(content, "memory"));
  using folder = new TemporaryFolder();
  const path = join(folder.path, "file");
  Deno.writeFileSync(path, content);
  await checkRanges(await openFile(path));
  await withServer(rangeServer(content), async (url) => checkRanges(await openUrl(url)));
});

Deno.test("a server without ranges is read whole", async () => {
  await withServer(() => new Response(content), async (url) => checkRanges(await openUrl(url)));
});

Deno.test("an empty file is empty from everywhere", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "empty");
  Deno.writeTextFileSync(path, "");
  assert.equal((await openFile(path)).byteLength, 0);
  await withServer(rangeServer(new Uint8Array()), async (url) => {
    assert.equal((await openUrl(url)).byteLength, 0);
  });
});

Deno.test("a server without ranges is left when it has sent 64 MiB", async () => {
  let sent = 0;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += 2 ** 22;
          controller.enqueue(new Uint8Array(2 ** 22));
        },
      }),
    );
  await withServer(endless, async (url) => {
    await assert.rejects(openUrl(url), {
      name: "InputError",
      message: `${url}: more than 64 MiB from a server without range requests; download it first`,
    });
  });
  assert(sent < 2 ** 28);
});

Deno.test("a server that begins an answer and sends no more is given up", async () => {
  const open: ReadableStreamDefaultController[] = [];
  const stalling = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          open.push(controller);
          controller.enqueue(content.slice(0, 10));
        },
      }),
    );
  await withServer(stalling, async (url) => {
    const options = { attempts: 2, firstDelay: 1, stallTimeout: 50 };
    await assert.rejects(openUrl(url, options), {
      name: "InputError",
      message: `${url} cannot be reached (only 10 bytes came for 0.05 s); ` +
        "check the address and the network, and try again",
    });
  });
  assert.equal(open.length, 2);
});

Deno.test("a URL that fails is an InputError that names it", async () => {
  await withServer(() => new Response("no", { status: 404 }), async (url) => {
    await assert.rejects(openUrl(url), {
      name: "InputError",
      message: `${url}: the server answers 404; check the address`,
    });
  });
  await assert.rejects(openUrl("http://127.0.0.1:1/x", { attempts: 2, firstDelay: 1 }), {
    name: "InputError",
    message: /^http:\/\/127.0.0.1:1\/x cannot be reached \(.*\); check the address and the net/,
  });
});

Deno.test("a file that changes on the server is noticed", async () => {
  let bytes = content;
  await withServer((request) => rangeServer(bytes)(request), async (url) => {
    const source = await openUrl(url);
    bytes = content.slice(0, 900);
    await assert.rejects(source.read(0, 10), {
      name: "InputError",
      message: `${url}: changed on the server while it was being read; start again`,
    });
  });
});

Deno.test("a file of the same size that replaces another on the server is noticed", async () => {
  let bytes = content, etag = '"1"';
  await withServer((request) => rangeResponse(request, bytes, { etag }), async (url) => {
    const source = await openUrl(url);
    assert.deepStrictEqual(await source.read(0, 10), content.slice(0, 10));
    [bytes, etag] = [content.toReversed(), '"2"'];
    await assert.rejects(source.read(10, 20), { name: "InputError", message: /: changed on the/ });
    // A weak tag does not stand for bytes.
    etag = 'W/"3"';
    assert.deepStrictEqual(await source.read(0, 10), bytes.slice(0, 10));
  });
});

Deno.test("a file that is missing, a folder, or shortened meanwhile is an InputError", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "file");
  await assert.rejects(openFile(path), {
    name: "InputError",
    message: `${path}: does not exist; check the path`,
  });
  await assert.rejects(openFile(folder.path), {
    name: "InputError",
    message: /: is not a file; name a/,
  });
  Deno.writeFileSync(path, content);
  const source = await openFile(path);
  Deno.truncateSync(path, 500);
  await assert.rejects(source.read(400, 600), { name: "InputError", message: /: was changed/ });
});

Deno.test("a file that is replaced or written to between two reads is not read as a mixture", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "weights"), other = join(folder.path, "other");
  const changes: Record<string, () => void> = {
    "replaced by one of the same size and time": () => {
      const { mtime } = Deno.statSync(path);
      Deno.writeFileSync(other, content.toReversed());
      Deno.utimeSync(other, mtime!, mtime!);
      Deno.renameSync(other, path);
    },
    "written to": () => {
      Deno.writeFileSync(path, content.toReversed());
      Deno.utimeSync(path, 1, 1);
    },
    "taken away": () => Deno.removeSync(path),
  };
  for (const [name, change] of Object.entries(changes)) {
    Deno.writeFileSync(path, content);
    const source = await openFile(path);
    assert.deepStrictEqual(await source.read(0, 3), content.slice(0, 3));
    change();
    const target = new Uint8Array(3);
    for (const read of [() => source.read(3, 6), () => readInto(source, target, 3)]) {
      const message = name === "taken away"
        ? `${path}: does not exist; check the path`
        : `${path}: was changed while it was being read; start again`;
      await assert.rejects(read(), { name: "InputError", message }, name);
    }
    assert.deepStrictEqual(target, new Uint8Array(3));
  }
});

Deno.test("reading all of something huge is refused", async () => {
  await assert.rejects(readAll(memorySource(content, "config.json"), 999), {
    name: "InputError",
    message: "config.json: 1000 bytes, where at most 999 were expected; " +
      "check that it is the right file",
  });
});
