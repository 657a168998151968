/**
 * How long after the last byte of a download is the last tensor decoded? Chromium downloads a
 * compressed model at 50 Mbit/s and decodes it on the way, in workers; then it downloads all of it
 * first and decodes it afterwards, in one thread. Prints seconds, and their share of the download.
 *
 *     deno run --allow-all bench/download.ts [FILE.kan.safetensors] [MBIT_PER_SECOND]
 *
 * Without a file, one of random matrices in the shapes of a 30-layer model of 26 million weights is made.
 */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WeightTensor } from "../data/tensor.ts";
import { launchChromium } from "../eval/plots/chromium.ts";
import { HierarchicalCompressor } from "../hierarchy/compressor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { bundleForBrowsers } from "../packaging/bundle_for_browsers.ts";
import { endFor, readCommandLine } from "./support/command_line.ts";
import { readAll } from "../data/byte_source.ts";
import { openFile } from "../data/mod.ts";

const { words: [path, rate = "50"] } = readCommandLine({}, {
  words: ["FILE.kan.safetensors", "MBIT_PER_SECOND"],
});
if (!(Number(rate) > 0)) endFor(`${rate}: give a number of Mbit/s`);
const bytesPerSecond = Number(rate) * 1e6 / 8;
const bytes = path === undefined ? await randomModel() : await readAll(await openFile(path));
const scripts = join(tmpdir(), `kanpress-download-${Deno.pid}`);
bundleForBrowsers(scripts);

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/") {
    return new Response("<title></title>", { headers: { "content-type": "text/html" } });
  }
  if (pathname === "/favicon.ico") return new Response(undefined, { status: 404 });
  if (pathname !== "/model.kan.safetensors") {
    const headers = { "content-type": "text/javascript" };
    return new Response(readFileSync(join(scripts, pathname)), { headers });
  }
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.get("range") ?? "") ?? [];
  const start = Number(from ?? 0), end = to === undefined ? bytes.length : Number(to) + 1;
  const headers = {
    "content-length": String(end - start),
    ...(from && { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` }),
  };
  return new Response(throttled(start, end), { status: from ? 206 : 200, headers });
});

/** The file's bytes at the rate of the line, in steps of 20 milliseconds. */
function throttled(start: number, end: number): ReadableStream<Uint8Array> {
  const begin = performance.now();
  let at = start;
  return new ReadableStream({
    async pull(controller) {
      if (at >= end) return controller.close();
      const stop = Math.min(end, at + Math.ceil(bytesPerSecond / 50));
      const due = begin + 1000 * (stop - start) / bytesPerSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      controller.enqueue(bytes.slice(at, stop));
      at = stop;
    },
  });
}

/** Seconds of the download, from its beginning to the last byte, and to the last tensor. */
interface Times {
  readonly firstLayer?: number;
  readonly lastByte: number;
  readonly lastTensor: number;
  readonly tensors: number;
}

const browser = await launchChromium();
try {
  const megabytes = (bytes.length / 1e6).toFixed(1);
  console.log(
    `${megabytes} MB at ${rate} Mbit/s, Chromium ${browser.version()}, ` +
      `${navigator.hardwareConcurrency} cores`,
  );
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.addr.port}/`);
  show("on the way, in workers", await page.evaluate(onTheWay));
  show("afterwards, in one thread", await page.evaluate(afterwards));
} finally {
  await browser.close();
  await server.shutdown();
  Deno.removeSync(scripts, { recursive: true });
}

function show(how: string, { firstLayer, lastByte, lastTensor, tensors }: Times): void {
  const after = lastTensor - lastByte;
  console.log(
    `${how.padEnd(26)} ${tensors} tensors; ` +
      (firstLayer === undefined ? "" : `first layer ${firstLayer.toFixed(2)} s, `) +
      `last byte ${lastByte.toFixed(2)} s, last tensor ${after.toFixed(2)} s later ` +
      `(${(100 * after / lastByte).toFixed(1)} %)`,
  );
}

/** Runs in the page. */
async function onTheWay(): Promise<Times> {
  const { openCompressed } = await import("/download.js" as string);
  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  let lastByte: number | undefined, firstLayer: number | undefined, tensors = 0;
  const model = await openCompressed(new URL("/model.kan.safetensors", globalThis.location.href), {
    onProgress({ bytes, totalBytes, layers }: Record<string, number>) {
      if (bytes === totalBytes) lastByte ??= seconds();
      if (layers! > 0) firstLayer ??= seconds();
    },
  });
  for await (const _ of model) tensors++;
  return { firstLayer: firstLayer!, lastByte: lastByte!, lastTensor: seconds(), tensors };
}

/** Runs in the page. */
async function afterwards(): Promise<Times> {
  const { decompressWeights } = await import("/decompress.js" as string);
  const begin = performance.now();
  const seconds = () => (performance.now() - begin) / 1000;
  const file = new Uint8Array(await (await fetch("/model.kan.safetensors")).arrayBuffer());
  const lastByte = seconds();
  const { size } = await decompressWeights(file);
  return { lastByte, lastTensor: seconds(), tensors: size };
}

async function randomModel(): Promise<Uint8Array> {
  const random = createRandom(1);
  const matrix = (rows: number, columns: number): WeightTensor => ({
    dtype: "F32",
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => 0.02 * random.normal()),
  });
  const weights = new Map<string, WeightTensor>([["embed.weight", matrix(8192, 288)]]);
  for (let layer = 0; layer < 30; layer++) {
    weights.set(`layers.${layer}.attention.weight`, matrix(864, 288));
    weights.set(`layers.${layer}.up.weight`, matrix(1024, 288));
    weights.set(`layers.${layer}.down.weight`, matrix(288, 1024));
  }
  return (await new HierarchicalCompressor({ bits: 3, states: 8 }).compress(weights)).bytes;
}
