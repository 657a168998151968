/**
 * How much faster does fused multiply-add of relaxed SIMD make products on WebAssembly? Multiplies
 * matrices of float32 by tfjs' matMul and by our kernel, with products and sums rounded each and with
 * both rounded once, in turn on one core, and prints GFLOP/s of processor time.
 *
 *     deno run --allow-all bench/relaxed_simd.ts
 *     deno run --allow-all bench/relaxed_simd.ts --shape 1024x1536x576
 *
 * Fused results differ between machines, in the last digits: a machine without such an instruction
 * rounds twice.
 */
import * as tf from "@tensorflow/tfjs";
import { startKernels } from "../eval/kernels/layer_kernels.ts";
import { multiply } from "../eval/kernels/multiply.ts";
import { useBackend } from "../eval/mod.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { leastCpuSeconds } from "./support/cpu_seconds.ts";
import { endFor, readOptions } from "./support/command_line.ts";

/** Rounds, of which the fastest of each counts. */
const ROUNDS = 15;

type Shape = readonly [rows: number, depth: number, columns: number];

/** The greatest difference, as a share of the largest value. */
function apart(actual: Float32Array, expected: Float32Array): number {
  let difference = 0, largest = 0;
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(actual[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}

async function benchShape([rows, depth, columns]: Shape): Promise<void> {
  const random = createRandom(1);
  const [a, b] = [[rows, depth], [depth, columns]].map(([height, width]) => {
    const values = Float32Array.from({ length: height! * width! }, () => random.normal());
    return tf.tensor2d(values, [height!, width!]);
  }) as [tf.Tensor2D, tf.Tensor2D];
  const works = [
    () => tf.matMul(a, b) as tf.Tensor2D,
    ...[true, false].map((alike) => {
      const kernels = startKernels(alike);
      if (kernels === undefined) endFor("this engine has no SIMD");
      return () => multiply(kernels, a, { tensor: b, transposed: false });
    }),
  ];
  const products = await Promise.all(works.map(async (work) => {
    const product = work();
    const values = await product.data<"float32">();
    product.dispose();
    return values;
  }));
  const least = works.map(() => Infinity);
  // In turn, so that all see the same clock of the processor.
  for (let round = 0; round < ROUNDS; round++) {
    works.forEach((work, i) =>
      least[i] = Math.min(least[i]!, leastCpuSeconds(() => work().dispose(), 1))
    );
  }
  tf.dispose([a, b]);
  const speeds = least.map((seconds) => 2 * rows * depth * columns / 1e9 / seconds);
  const differences = products.slice(1).map((values) => apart(values, products[0]!));
  console.log(
    `${[rows, depth, columns].join(" x ").padEnd(20)}` +
      speeds.map((speed) => speed.toFixed(1).padStart(8)).join("") +
      `   fused / tfjs ${(speeds[2]! / speeds[0]!).toFixed(2)}` +
      `, apart by ${differences.map((share) => share.toExponential(0)).join(", ")}`,
  );
}

const { shape } = readOptions({ shape: { type: "string" } });
const shapes = shape === undefined
  ? [[1024, 1536, 576], [1024, 576, 1536], [1024, 576, 576], [1024, 576, 2048]] as const
  : [shape.split("x").map(Number)];
await useBackend("wasm");
console.log(
  "A B, GFLOP/s".padEnd(20) + ["tfjs", "plain", "fused"].map((name) => name.padStart(8)).join(""),
);
for (const sizes of shapes) {
  const [rows, depth, columns] = sizes;
  if (sizes.length !== 3 || !sizes.every((size) => size > 0 && Number.isInteger(size))) {
    endFor(`--shape ${shape}: three whole numbers, as 1024x1536x576`);
  }
  await benchShape([rows!, depth!, columns!]);
}
