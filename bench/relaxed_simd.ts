/**
 * How much faster would fused multiply-add of relaxed SIMD make products on WebAssembly? Multiplies
 * matrices of float32 by tfjs' matMul and by a kernel of six by eight values in registers, fused and
 * not, in turn on one core, packing included, and prints GFLOP/s of processor time.
 *
 *     deno run --allow-all bench/relaxed_simd.ts
 *     deno run --allow-all bench/relaxed_simd.ts --shape 1024x1536x576
 *
 * Fused results differ between machines, in the last digits: a machine without such an instruction
 * rounds twice.
 */
import * as tf from "@tensorflow/tfjs";
import { fromBase64 } from "../data/base64.ts";
import { useBackend } from "../eval/mod.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { compileKernel, readSource } from "../kernels/compile_kernels.ts";
import { leastCpuSeconds } from "./support/cpu_seconds.ts";
import { endFor, readOptions } from "./support/command_line.ts";

/** Rounds, of which the fastest of each counts. */
const ROUNDS = 15;
/** Rows that the kernel takes together: those of A are filled up. */
const PANEL = 6;

/** What product.as.ts exports; places are in bytes. */
interface ProductExports {
  packRows(rows: number, depth: number, from: number, to: number): void;
  packColumns(depth: number, columns: number, from: number, to: number): void;
  multiply(
    rows: number,
    depth: number,
    columns: number,
    a: number,
    b: number,
    c: number,
  ): void;
}

type Shape = readonly [rows: number, depth: number, columns: number];

/** A product by the kernel, fused or not: the function that runs it once, and where it writes. */
async function kernelProduct(
  relaxed: boolean,
  [rows, depth, columns]: Shape,
  a: Float32Array,
  b: Float32Array,
): Promise<{ readonly run: () => void; readonly result: Float32Array }> {
  const multiplyAdd = relaxed ? "f32x4.relaxed_madd(a, b, sum)" : "f32x4.add(sum, f32x4.mul(a, b))";
  const folder = "bench/support/relaxed_simd";
  const source = { folder, name: "product", source: "product", importsMemory: true, relaxed };
  const define =
    `function multiplyAdd(sum: v128, a: v128, b: v128): v128 { return ${multiplyAdd}; }`;
  const text = `${define}\n${await readSource(source)}`;
  const { module } = await compileKernel(source, text);
  const padded = Math.ceil(rows / PANEL) * PANEL;
  let bytes = 64;
  const place = (length: number) => (bytes += 4 * length) - 4 * length;
  const at = {
    a: place(rows * depth),
    b: place(depth * columns),
    packedA: place(padded * depth),
    packedB: place(depth * columns),
    c: place(padded * columns),
  };
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 2 ** 16) });
  const compiled = new WebAssembly.Module(fromBase64(/"([^"]+)"/.exec(module)![1]!));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const { packRows, packColumns, multiply } = exports as unknown as ProductExports;
  new Float32Array(memory.buffer, at.a, a.length).set(a);
  new Float32Array(memory.buffer, at.b, b.length).set(b);
  return {
    run() {
      packRows(rows, depth, at.a, at.packedA);
      packColumns(depth, columns, at.b, at.packedB);
      multiply(padded, depth, columns, at.packedA, at.packedB, at.c);
    },
    result: new Float32Array(memory.buffer, at.c, rows * columns),
  };
}

/** The greatest difference, as a share of the largest value. */
function apart(actual: Float32Array, expected: Float32Array): number {
  let difference = 0, largest = 0;
  expected.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(actual[i]! - value));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}

async function benchShape(shape: Shape): Promise<void> {
  const [rows, depth, columns] = shape;
  const random = createRandom(1);
  const [a, b] = [rows * depth, depth * columns].map((length) =>
    Float32Array.from({ length }, () => random.normal())
  ) as [Float32Array, Float32Array];
  const plain = await kernelProduct(false, shape, a, b);
  const fused = await kernelProduct(true, shape, a, b);
  const left = tf.tensor2d(a, [rows, depth]), right = tf.tensor2d(b, [depth, columns]);
  const product = tf.matMul(left, right);
  const expected = await product.data<"float32">();
  const works = [() => tf.matMul(left, right).dispose(), plain.run, fused.run];
  const least = works.map(() => Infinity);
  // In turn, so that all see the same clock of the processor.
  for (let round = 0; round < ROUNDS; round++) {
    works.forEach((work, i) => least[i] = Math.min(least[i]!, leastCpuSeconds(work, 1)));
  }
  tf.dispose([left, right, product]);
  const speeds = least.map((seconds) => 2 * rows * depth * columns / 1e9 / seconds);
  const differences = [plain, fused].map(({ result }) => apart(result, expected));
  console.log(
    `${shape.join(" x ").padEnd(20)}` +
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
  if (
    sizes.length !== 3 || !sizes.every((size) => size > 0 && Number.isInteger(size)) || columns! % 8
  ) {
    endFor(`--shape ${shape}: three whole numbers, as 1024x1536x576; the last a multiple of 8`);
  }
  await benchShape([rows!, depth!, columns!]);
}
