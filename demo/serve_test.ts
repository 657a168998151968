import assert from "node:assert";
import { errorLines, interruptCommandLine, runCommandLine } from "../cli/testdata/command_line.ts";
import { withWorkFolder } from "../cli/testdata/work_folder.ts";
import { InputError } from "../data/mod.ts";
import { memorySource } from "../data/memory_source.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { serveDemo } from "./serve.ts";
import { type DemoModel, demoSite } from "./site.ts";
import { bundle } from "./testdata/demo_page.ts";

/** A model whose files fail after the site was made. */
async function failingModel(): Promise<DemoModel> {
  const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
  const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
  const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights, { config: {} });
  const whole = memorySource(bytes, "gone.kan.safetensors");
  const gone = {
    ...whole,
    read: (start: number, end: number) =>
      end === whole.byteLength
        ? Promise.reject(new InputError("gone.kan.safetensors: does not exist"))
        : whole.read(start, end),
  };
  const broken = memorySource(new Uint8Array(4), "tokenizer.json");
  broken.read = () => Promise.reject(new TypeError("a fault"));
  return { name: "gone", source: gone, companions: new Map([["tokenizer.json", broken]]) };
}

Deno.test("the server gives nothing but the site's files", async () => {
  await bundle();
  const stop = new AbortController();
  const site = await demoSite({ models: [await failingModel()] });
  const { url, finished } = await serveDemo(site, { port: 0, signal: stop.signal });
  const statusOf = async (path: string, init?: RequestInit) => {
    const response = await fetch(new URL(path, url), init);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await statusOf("models.json"), 200);
  assert.equal(await statusOf("serve.ts"), 404);
  assert.equal(await statusOf("%2e%2e/deno.json"), 404);
  assert.equal(await statusOf("", { method: "POST" }), 405);
  await everyAnswerIsGuarded(url);
  await assert.rejects(
    serveDemo(site, { port: Number(new URL(url).port), signal: stop.signal }),
    /port \d+ is taken/,
  );
  stop.abort();
  await finished;
});

Deno.test("what packs well is sent packed, and whole where that is not understood", async () => {
  const text = new TextEncoder().encode("once upon a time ".repeat(1000));
  const open = (name: string) => [name, () => Promise.resolve(memorySource(text, name))] as const;
  const site = new Map([open("tokenizer.json"), open("models/0/model.kan.safetensors")]);
  const stop = new AbortController();
  const { url, finished } = await serveDemo(site, { port: 0, signal: stop.signal });
  // fetch() unpacks what it gets.
  const sizeOf = async (path: string, accept: string, range?: string) => {
    const response = await fetch(new URL(path, url), {
      headers: { "accept-encoding": accept, ...(range && { range }) },
    });
    const { headers } = response;
    const length = (await response.arrayBuffer()).byteLength;
    return [headers.get("content-encoding"), length, response.status] as const;
  };
  assert.deepEqual(await sizeOf("tokenizer.json", "gzip, deflate, br, zstd"), ["br", 17000, 200]);
  assert.deepEqual(await sizeOf("tokenizer.json", "gzip;q=0.5"), ["gzip", 17000, 200]);
  assert.deepEqual(await sizeOf("tokenizer.json", "identity"), [null, 17000, 200]);
  assert.deepEqual(await sizeOf("tokenizer.json", "br", "bytes=10-19"), [null, 10, 206]);
  assert.deepEqual(await sizeOf("models/0/model.kan.safetensors", "br"), [null, 17000, 200]);
  const whole = await answerTo(url, "/tokenizer.json", new URL(url).host, "GET", "gzip");
  assert.ok(whole.length < 2000, `${whole.length} bytes`);
  stop.abort();
  await finished;
});

/** fetch() sets the header Host itself, so these requests are written by hand. */
async function answerTo(
  url: string,
  path: string,
  host: string,
  method = "GET",
  accepted = "identity",
): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    `Accept-Encoding: ${accepted}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

async function everyAnswerIsGuarded(url: string): Promise<void> {
  const { port } = new URL(url);
  const answers: [string, string, string, RegExp][] = [
    ["/", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/", `localhost:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/app.js", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/models.json", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 200/],
    ["/models.json", `127.0.0.1:${port}`, "POST", /^HTTP\/1.1 405/],
    ["/none", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 404/],
    ["/models/0/model.kan.safetensors", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 500/],
    ["/models/0/tokenizer.json", `127.0.0.1:${port}`, "GET", /^HTTP\/1.1 500/],
    // A page elsewhere whose name leads to this machine.
    ["/models.json", `rebound.example:${port}`, "GET", /^HTTP\/1.1 421/],
    ["/", "rebound.example", "GET", /^HTTP\/1.1 421/],
    ["/", "127.0.0.1", "GET", /^HTTP\/1.1 421/],
  ];
  for (const [path, host, method, expected] of answers) {
    const [head = "", body = ""] = (await answerTo(url, path, host, method)).split("\r\n\r\n");
    assert.match(head, expected, `${method} ${path} of ${host}`);
    assert.match(head, /^content-security-policy: .*default-src 'self'.*frame-ancestors 'none'/m);
    assert.match(head, /^x-content-type-options: nosniff/m);
    assert.match(head, /^x-frame-options: DENY/m);
    if (!/ 200/.test(head)) assert.ok(!body.includes("["), body);
  }
}

Deno.test("the server ends by Ctrl-C, as it says, without an error", () =>
  withWorkFolder(async (folder) => {
    const make = ["compress", "model", "--text", "text.txt", "--data-free", "--out", "out"];
    assert.equal((await runCommandLine(make, { cwd: folder })).code, 0);
    await bundle();
    const { code, error } = await interruptCommandLine(
      ["demo", "out", "--port", "0"],
      folder,
      /Ctrl-C ends the server/,
      "SIGINT",
      { task: "demo" },
    );
    assert.equal(code, 0, error);
    assert.equal(errorLines(error).at(-1), "the server has ended");
  }));
