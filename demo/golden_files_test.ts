import assert from "node:assert";
import { fileURLToPath } from "node:url";
import { launchChromium } from "../eval/plots/chromium.ts";
import { needsChromium } from "../eval/plots/testdata/needs_chromium.ts";
import { readGoldenFiles } from "../hierarchy/testdata/golden_files.ts";

/** The decoder as a page imports it. */
async function bundledDecoder(): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "-q", "--platform", "browser", "hierarchy/decompress.ts"],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return stdout;
}

/** A page, its script and the files, on a loopback address: the only ones with `crypto.subtle`. */
function serve(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
  return Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    const body = files.get(pathname.slice(1));
    if (body === undefined) return new Response(undefined, { status: 404 });
    const type = pathname.endsWith(".js") ? "text/javascript" : "text/html";
    return new Response(body, { headers: { "content-type": type } });
  });
}

Deno.test("Chromium decodes the golden files bit for bit, with WebAssembly and without", {
  ...needsChromium,
  // Chromium's connections close after the test.
  sanitizeResources: false,
}, async () => {
  const golden = await readGoldenFiles();
  const server = serve(
    new Map([
      ["", new Uint8Array()],
      ["decompress.js", await bundledDecoder()],
      ...golden.map(({ name, bytes }) => [name, new Uint8Array(bytes)] as const),
    ]),
  );
  const browser = await launchChromium();
  try {
    for (const wasm of [true, false]) {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      for (const { name, tensors } of golden) {
        assert.deepEqual(await page.evaluate(decodeInPage, { name, wasm }), tensors, name);
      }
      await page.close();
    }
  } finally {
    await browser.close();
    await server.shutdown();
  }
});

/** Runs in the page: what `digestsOf` gives in Deno. */
async function decodeInPage({ name, wasm }: { name: string; wasm: boolean }): Promise<unknown> {
  if (!wasm) Reflect.deleteProperty(globalThis, "WebAssembly");
  const { decompressWeights } = await import(new URL("decompress.js", location.href).href);
  const bytes = new Uint8Array(await (await fetch(name)).arrayBuffer());
  const digests: Record<string, unknown> = {};
  for (const [tensor, { dtype, shape, data }] of await decompressWeights(bytes)) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    digests[tensor] = { dtype, shape, sha256 };
  }
  return digests;
}
