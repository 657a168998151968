import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { findRemoteFile } from "../../data/url_source.ts";
import { memorySource } from "../../data/memory_source.ts";
import { codedWeights } from "../coded_weights.ts";
import { HierarchicalCompressor } from "../compressor.ts";
import { decompressWeights } from "../decompress.ts";
import { openContainer } from "../file/container.ts";
import { recoverIntegers } from "../matrix/recover_integers.ts";
import { type GoldenFile, readGoldenFiles } from "../testdata/golden_files.ts";
import type { DownloadProgress } from "./download_progress.ts";
import { type ArrivingModel, openArrivingFile, openCompressed } from "./open_compressed.ts";

/** How a server answers, request by request. */
interface Server {
  readonly url: string;
  /** Ranges that were asked for. */
  readonly ranges: string[];
  close(): Promise<void>;
}

interface Manners {
  /** Milliseconds between chunks of this many bytes. */
  readonly slow?: readonly [milliseconds: number, bytes: number];
  /** Bytes after which the connection of the second request is dropped. */
  readonly dropAfter?: number;
  /** Whether it knows ranges. */
  readonly ranges?: boolean;
  readonly etag?: string;
  readonly port?: number;
  /** Bytes that are held back until the promise resolves. */
  readonly held?: readonly [bytes: number, release: Promise<void>];
}

function serve(
  bytes: Uint8Array,
  { slow, dropAfter, ranges = true, etag, port = 0, held }: Manners = {},
): Server {
  const asked: string[] = [];
  const server = Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const range = request.headers.get("range");
    const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(range ?? "") ?? [];
    const isPart = ranges && range !== null;
    const start = isPart ? Number(from) : 0;
    const end = isPart && to !== "" ? Math.min(bytes.length, Number(to) + 1) : bytes.length;
    asked.push(range ?? "all");
    const drops = dropAfter !== undefined && asked.length === 2;
    let at = start;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (drops && at >= dropAfter) return controller.error(new Error("dropped"));
        if (at >= end) return controller.close();
        const size = slow?.[1] ?? bytes.length;
        if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, slow[0]));
        const open = held === undefined ? end : bytes.length - held[0];
        if (held !== undefined && at >= open) await held[1];
        const stop = Math.min(end, at + size, drops ? dropAfter : end, at < open ? open : end);
        controller.enqueue(bytes.slice(at, stop));
        at = stop;
      },
    });
    const headers = {
      "content-length": String(end - start),
      ...(isPart ? { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` } : {}),
      ...(etag === undefined ? {} : { etag: `"${etag}"` }),
    };
    return new Response(body, { status: isPart ? 206 : 200, headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/model.kan.safetensors`,
    ranges: asked,
    close: () => server.shutdown(),
  };
}

async function goldenFile(wanted: string): Promise<GoldenFile> {
  return (await readGoldenFiles()).find(({ name }) => name === wanted)!;
}

async function collect(model: ArrivingModel): Promise<Map<string, WeightTensor>> {
  const weights = new Map<string, WeightTensor>();
  for await (const [name, tensor] of model) weights.set(name, tensor);
  return weights;
}

function assertSame(arrived: StateDict, expected: StateDict): void {
  assert.deepEqual([...arrived.keys()].toSorted(), [...expected.keys()].toSorted());
  for (const [name, tensor] of expected) assert.deepEqual(arrived.get(name), tensor, name);
}

let layered: Promise<Uint8Array> | undefined;

/** A model of several groups and segments, 3.4 million values in eight layers. */
function layeredModel(): Promise<Uint8Array> {
  return layered ??= makeLayeredModel();
}

async function makeLayeredModel(): Promise<Uint8Array> {
  const random = createRandom(5);
  const matrix = (rows: number, columns: number): WeightTensor => ({
    dtype: "F32",
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => 0.02 * random.normal()),
  });
  const weights = new Map<string, WeightTensor>([
    ["embed.weight", matrix(512, 512)],
    ...Array.from({ length: 8 }, (_, layer): [string, WeightTensor][] => [
      [`layers.${layer}.up.weight`, matrix(512, 512)],
      [`layers.${layer}.down.weight`, matrix(256, 512)],
      [`layers.${layer}.norm.weight`, {
        dtype: "F32",
        shape: [4],
        data: Float32Array.of(1, 2, 3, 4),
      }],
    ]).flat(),
  ]);
  weights.set("head.weight", weights.get("embed.weight")!);
  const compressor = new HierarchicalCompressor({ bits: 2, states: 1 });
  return (await compressor.compress(weights, { config: { model_type: "test" } })).bytes;
}

Deno.test("golden files arrive as they are decoded whole, by any number of workers", async () => {
  for (const { name, bytes } of await readGoldenFiles()) {
    const server = serve(bytes);
    try {
      const expected = await decompressWeights(bytes);
      for (const threads of [1, 2]) {
        const model = await openCompressed(server.url, { threads });
        assert.equal(model.byteLength, bytes.length);
        assertSame(await collect(model), expected);
        assert.deepEqual(
          new Map(model.tensors.map((info) => [info.name, info.shape])),
          new Map(Array.from(expected, ([key, { shape }]) => [key, shape])),
          name,
        );
      }
    } finally {
      await server.close();
    }
  }
});

Deno.test("layers are decoded in their order while the file is still arriving", async () => {
  const bytes = await layeredModel();
  // The last third comes only when the first half of the layers is there.
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = serve(bytes, { held: [Math.floor(bytes.length / 3), promise] });
  try {
    let last: DownloadProgress | undefined;
    const model = await openCompressed(server.url, { onProgress: (progress) => last = progress });
    assert.deepEqual(model.config, { model_type: "test" });
    const weights = new Map<string, WeightTensor>();
    for await (const [name, tensor] of model) {
      weights.set(name, tensor);
      const layers = [0, 1, 2, 3].map((layer) => `layers.${layer}.down.weight`);
      if (!["embed.weight", ...layers].every((wanted) => weights.has(wanted))) continue;
      resolve();
    }
    assertSame(weights, await decompressWeights(bytes));
    assert.equal(weights.get("head.weight")!.data, weights.get("embed.weight")!.data);
    assert.deepEqual(last, {
      bytes: bytes.length,
      totalBytes: bytes.length,
      tensors: 26,
      totalTensors: 26,
      layers: 8,
      totalLayers: 8,
    });
  } finally {
    await server.close();
  }
});

Deno.test("a download that breaks off goes on where it was; without ranges it begins anew", async () => {
  const { bytes } = await goldenFile("rate-8-states");
  const expected = await decompressWeights(bytes);
  const dropping = serve(bytes, { dropAfter: 3000, etag: "a" });
  const plain = serve(bytes, { ranges: false, dropAfter: 3000 });
  try {
    assertSame(await collect(await openCompressed(dropping.url, { firstDelay: 1 })), expected);
    assert.deepEqual(dropping.ranges.map((range) => /\d+/.exec(range)![0]), ["0", "0", "3000"]);
    assertSame(await collect(await openCompressed(plain.url, { firstDelay: 1 })), expected);
    assert.equal(plain.ranges.length, 3);
  } finally {
    await dropping.close();
    await plain.close();
  }
});

Deno.test("a server without ranges is decoded from while it sends", async () => {
  const bytes = await layeredModel();
  const { promise: release, resolve } = Promise.withResolvers<void>();
  const server = serve(bytes, { ranges: false, held: [bytes.length >> 2, release] });
  try {
    const model = await openCompressed(server.url);
    assert.equal(model.byteLength, bytes.length);
    let count = 0;
    for await (const _ of model) {
      // The first tensor is there before the last quarter of the file.
      if (count++ === 0) resolve();
    }
    assert.equal(count, model.tensors.length);
  } finally {
    await server.close();
  }
});

Deno.test("a long file of a server without ranges is streamed, and not read at places", async () => {
  const length = 2 ** 26 + 4096;
  const header = { "content-length": String(length) };
  const part = new Uint8Array(2 ** 20);
  let sent = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at === length) return controller.close();
        const size = Math.min(part.length, length - at);
        controller.enqueue(part.slice(0, size));
        [at, sent] = [at + size, sent + size];
      },
    });
    return new Response(body, { headers: header });
  });
  const url = `http://127.0.0.1:${server.addr.port}/long`;
  try {
    const remote = await findRemoteFile(url, {}, { inOrder: true });
    assert.equal(remote.byteLength, length);
    assert.ok(sent < length / 2, `${sent} bytes were sent for its size`);
    let arrived = 0;
    for await (const chunk of remote.stream(0, length)) arrived += chunk.length;
    assert.equal(arrived, length);
    await assert.rejects(findRemoteFile(url), /more than 64 MiB from a server without range/);
  } finally {
    await server.shutdown();
  }
});

Deno.test("damage is found before a tensor of it is given, and a lost server is told of", async () => {
  const { bytes } = await goldenFile("rate-8-states");
  const flipped = bytes.slice();
  flipped[flipped.length - 9]! ^= 1;
  for (const threads of [1, 2]) {
    const server = serve(flipped);
    const model = await openCompressed(server.url, { threads });
    const given: string[] = [];
    const read = async () => {
      for await (const [name] of model) given.push(name);
    };
    await assert.rejects(read, (error) => {
      assert(error instanceof InputError);
      assert.match(error.message, /stream "0.1.codes.0" does not have its SHA-256/);
      return true;
    });
    assert(given.length < model.tensors.length);
    await server.close();
  }
  const lost = serve(bytes, { slow: [5, 1000] });
  const model = await openCompressed(lost.url, { attempts: 1 });
  await lost.close();
  await collect(model).catch((error) => assert(error instanceof InputError, `${error}`));
  await assert.rejects(openCompressed(lost.url, { attempts: 1 }), /cannot be reached/);
  await assert.rejects(openCompressed(lost.url, { threads: 0 }), InputError);
  const other = serve(new TextEncoder().encode("<html></html>"));
  await assert.rejects(openCompressed(other.url), InputError);
  await other.close();
});

Deno.test("who ends the loop, or aborts, ends the download", async () => {
  const bytes = await layeredModel();
  const server = serve(bytes, { slow: [10, 10_000] });
  try {
    for await (const _ of await openCompressed(server.url)) break;
    const controller = new AbortController();
    const model = await openCompressed(server.url, { signal: controller.signal });
    const reading = collect(model);
    setTimeout(() => controller.abort(new Error("enough")), 50);
    await assert.rejects(reading, /enough/);
  } finally {
    await server.close();
  }
});

Deno.test({
  name: "a file that is kept is not downloaded again, unless the server has another",
  ignore: typeof caches === "undefined",
  async fn() {
    const { bytes } = await goldenFile("rate-8-states");
    const server = serve(bytes, { etag: "first" });
    const { port } = new URL(server.url);
    try {
      await collect(await openCompressed(server.url, { keep: true }));
      assert.equal(server.ranges.length, 2);
      const again = await collect(await openCompressed(server.url, { keep: true }));
      assert.deepEqual(server.ranges.slice(2), ["bytes=0-0"]);
      assertSame(again, await decompressWeights(bytes));
    } finally {
      await server.close();
    }
    const offline = await openCompressed(server.url, { keep: true, attempts: 1 });
    assertSame(await collect(offline), await decompressWeights(bytes));
    const { bytes: other } = await goldenFile("rate-1-states");
    const changed = serve(other, { etag: "second", port: Number(port) });
    try {
      const model = await openCompressed(changed.url, { keep: true });
      assertSame(await collect(model), await decompressWeights(other));
      // A kept copy that was damaged is dropped when it is found out.
      const damaged = other.slice();
      damaged[damaged.length - 9]! ^= 1;
      const headers = { etag: '"second"' };
      await (await caches.open("kanpress")).put(server.url, new Response(damaged, { headers }));
      await assert.rejects(
        async () => await collect(await openCompressed(changed.url, { keep: true })),
        /SHA-256/,
      );
      const mended = await openCompressed(changed.url, { keep: true });
      assertSame(await collect(mended), await decompressWeights(other));
    } finally {
      await changed.close();
      await (await caches.open("kanpress")).delete(server.url);
    }
  },
});

Deno.test("factors give the whole numbers that tensors are coded as", async () => {
  let found = 0, left = 0;
  for (const { name, bytes } of await readGoldenFiles()) {
    const container = await openContainer(memorySource(bytes, name));
    const coded = codedWeights(container);
    const model = await openArrivingFile(memorySource(bytes, name));
    for await (const [tensor, values] of model) {
      const factors = model.factorsOf(tensor);
      assert.equal(factors !== undefined, coded?.names.has(tensor) === true, `${name}: ${tensor}`);
      if (factors === undefined) continue;
      const recovered = recoverIntegers(tensor, values, factors);
      // Those beyond what can be told apart are left.
      if (recovered === undefined) left++;
      if (recovered === undefined) continue;
      const { integers } = await coded!.read(tensor);
      assert.deepEqual(recovered.integers.data, integers.data);
      found++;
    }
  }
  assert.ok(found > 10 && left <= found, `${found} and ${left}`);
});
