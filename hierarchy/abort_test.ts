import assert from "node:assert";
import { createRandom } from "../kan/numeric/random.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { decodeWeights, sourceOf } from "./decode_container.ts";
import { decompressWeights } from "./decompress.ts";
import { openContainer } from "./file/container.ts";

const random = createRandom(1);
const table = Float32Array.from({ length: 1 << 16 }, () => random.normal());
/** Matrices that are enough for workers, and for many segments; equal ones would be coded once. */
function matrices(count: number) {
  return new Map(Array.from({ length: count }, (_, matrix) => {
    const data = Float32Array.from(
      { length: 1 << 21 },
      (_, i) => table[(i * 40503 + 977 * matrix) & 0xffff]!,
    );
    return [`${matrix}`, { dtype: "F32" as const, shape: [1024, 2048], data }];
  }));
}

Deno.test("a signal ends compressing long before it would end", async () => {
  const weights = matrices(8);
  for (const least of [0, 0.3]) {
    const controller = new AbortController();
    let done = 0;
    const onProgress = (_: string, share: number) => {
      done = share;
      if (share >= least) controller.abort(new Error("enough"));
    };
    const { signal } = controller;
    const compressor = new HierarchicalCompressor({ bits: 4, effort: "fast", signal, onProgress });
    await assert.rejects(compressor.compress(weights), /enough/);
    assert.ok(done < least + 0.4, `${done} of ${least}`);
  }
});

Deno.test("a signal ends decompressing between parts of a matrix", async () => {
  const count = 4;
  const compressed = await new HierarchicalCompressor({ bits: 4, effort: "fast" })
    .compress(matrices(count));
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(decompressWeights(compressed, { signal }), /enough/);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")));
  await assert.rejects(decompressWeights(compressed, { signal: controller.signal }), /enough/);
  // The signal is looked at after each step.
  const container = await openContainer(sourceOf(compressed));
  const steps = [...decodeWeights(container)].length;
  assert.ok(steps > 5 * count, `${steps}`);
});
