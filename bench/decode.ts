/**
 * How fast do the code streams decode on one core? Prints million weights a second for the entropy
 * decoder alone and for a whole file, header checks and dequantization included.
 *
 *     deno run bench/decode.ts
 */
import { memorySource } from "../data/memory_source.ts";
import { createRandom } from "../kan/random.ts";
import { HierarchicalCompressor } from "../hierarchy/compressor.ts";
import { openContainer } from "../hierarchy/container.ts";
import { decodeContainer } from "../hierarchy/decompress.ts";
import { decodeTrellis } from "../hierarchy/levels/trellis_level.ts";
import { codedShapes } from "../hierarchy/plan_tensors.ts";
import { leastCpuSeconds } from "./cpu_seconds.ts";

const RUNS = 9;
/** Million weights a second that decoding is to reach on one core. */
const GOAL = 40;
const SHAPE = [2048, 2048] as const;

const random = createRandom(1);
const data = Float32Array.from({ length: SHAPE[0] * SHAPE[1] }, () => random.normal() * 0.02);
const weights = new Map([["weight", { dtype: "F32" as const, shape: SHAPE, data }]]);

console.log(
  `bits a weight   states   entropy decoder   whole file   (million weights a second; goal: ${GOAL})`,
);
for (const bits of [2, 4]) {
  for (const states of [1, 8]) {
    const compressed = await new HierarchicalCompressor({ bits, states }).compress(weights);
    const container = await openContainer(memorySource(compressed.bytes, "bench"));
    const trellis = container.stages[0]!.find(({ kind }) => kind === "trellis")!;
    const shapes = codedShapes(container.tensors);
    const decoder = data.length / 1e6 /
      leastCpuSeconds(() => decodeTrellis(trellis, [], shapes), RUNS);
    const whole = data.length / 1e6 / leastCpuSeconds(() => decodeContainer(container), RUNS);
    console.log(
      `${bits}`.padStart(13),
      `${states}`.padStart(8),
      decoder.toFixed(1).padStart(17),
      whole.toFixed(1).padStart(12),
    );
  }
}
