import assert from "node:assert";
import { createRandom } from "../kan/numeric/random.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { decompressWeights } from "./decompress.ts";

const random = createRandom(1);
const table = Float32Array.from({ length: 1 << 16 }, () => random.normal());
/** Matrices that are enough for workers, and for many segments. */
function matrices(count: number) {
  return new Map(Array.from({ length: count }, (_, matrix) => {
    const data = Float32Array.from({ length: 1 << 21 }, (_, i) => table[(i * 40503) & 0xffff]!);
    return [`${matrix}`, { dtype: "F32" as const, shape: [1024, 2048], data }];
  }));
}

/** Aborts what `work` starts after some milliseconds; gives how long it then went on. */
async function stopped(
  after: number,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<number> {
  const controller = new AbortController();
  let abortedAt = Infinity;
  const timer = setTimeout(() => {
    abortedAt = performance.now();
    controller.abort(new Error("enough"));
  }, after);
  await assert.rejects(work(controller.signal), /enough/);
  clearTimeout(timer);
  return performance.now() - abortedAt;
}

async function millisecondsOf<T>(work: () => Promise<T>): Promise<[made: T, took: number]> {
  const start = performance.now();
  return [await work(), performance.now() - start];
}

Deno.test("a signal ends compressing and decompressing long before they would end", async () => {
  const options = { bits: 4, effort: "fast" as const };
  const weights = matrices(24);
  const compress = (signal?: AbortSignal) =>
    new HierarchicalCompressor({ ...options, ...(signal && { signal }) }).compress(weights);
  const [compressed, compressing] = await millisecondsOf(() => compress());
  for (const after of [20, 400]) assert.ok(await stopped(after, compress) < compressing / 3);
  const [, decoding] = await millisecondsOf(() => decompressWeights(compressed));
  const stop = await stopped(0, (signal) => decompressWeights(compressed, { signal }));
  assert.ok(stop < decoding / 2, `${stop} of ${decoding} ms`);
});
