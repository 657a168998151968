/**
 * How much time and memory does a KAN layer take, beside a dense one of equally many parameters?
 * Layers of 64 x 64, cubic, batch 1024, on the WASM backend; the dense one is tfjs's own, and one
 * whose gradients multiply as the KAN's do.
 *
 *     deno run --allow-read --allow-env bench/kan_speed.ts
 */
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "@kanpress/kanpress/kan";
import { KanLayer, matMul } from "@kanpress/kanpress/kan/layers";
import { uniformGrid } from "@kanpress/kanpress/kan/bases";
import { kernelMemoryBytes } from "../kan/kernels/edge_kernels.ts";
import { report } from "./support/kan_data.ts";
import { readOptions } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";

readOptions({});

const BATCH = 1024;
const DIM = 64;
const RUNS = 30;
const SIZES = [5, 32];

/** The shortest of many runs, in milliseconds. */
function time(run: () => tf.TensorContainer): number {
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now();
    const result = run();
    const end = performance.now();
    tf.dispose(result);
    if (i > 2) best = Math.min(best, end - start);
  }
  return best;
}

/** Most bytes of tensors alive during a run, without those alive before it, in MB. */
async function peak(run: () => tf.TensorContainer): Promise<number> {
  const before = tf.memory().numBytes;
  const { peakBytes } = await tf.profile(() => {
    tf.dispose(run());
    return tf.scalar(0);
  });
  return (peakBytes - before) / 1e6;
}

function step(apply: (x: tf.Tensor2D) => tf.Tensor, x: tf.Tensor2D, variables: tf.Variable[]) {
  return () => {
    const loss = () => tf.tidy(() => apply(x).square().mean() as tf.Scalar);
    const { value, grads } = tf.variableGrads(loss, [x as tf.Variable<tf.Rank.R2>, ...variables]);
    return { value, grads };
  };
}

await tf.setBackend("wasm");
const x = tf.variable(tf.randomUniform([BATCH, DIM], -1, 1, "float32", 1)) as tf.Tensor2D;
const table = new Map<string, string[]>();
for (const intervals of SIZES) {
  const grid = uniformGrid({ intervals, order: 3 });
  const options = { inputDim: DIM, outputDim: DIM, grid, random: createRandom(0) };
  const dense = KanLayer.create(options, "dense"), local = KanLayer.create(options, "local");
  const parameters = dense.variables.reduce((sum, { size }) => sum + size, 0);
  const width = Math.round(Math.sqrt(parameters));
  const wide = tf.variable(tf.randomUniform([BATCH, width], -1, 1, "float32", 1)) as tf.Tensor2D;
  const kernel = tf.variable(tf.randomNormal([width, width])) as tf.Variable<tf.Rank.R2>;
  const layer = tf.layers.dense({ units: width, useBias: false, inputShape: [width] });
  const plain = (input: tf.Tensor2D) => layer.apply(input) as tf.Tensor;
  tf.dispose(plain(wide));
  const own = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);

  console.log(`\nG = ${intervals}: ${parameters} parameters, dense layers ${width} x ${width}`);
  const forward = { dense: time(() => dense.apply(x)), local: time(() => local.apply(x)) };
  const steps = {
    dense: step((input) => dense.apply(input), x, dense.variables),
    local: step((input) => local.apply(input), x, local.variables),
    plain: step(plain, wide, own),
    fast: step((input) => matMul(input, kernel), wide, [kernel]),
  };
  const kan = time(steps.dense), plainTime = time(steps.plain);
  const most = intervals === 32 ? 0.5 : undefined;
  report("forward, local / dense", forward.local / forward.dense, most);
  report("step, dense / tf.layers.dense", kan / plainTime, intervals === 5 ? 3 : undefined);
  add("forward, dense expansion", forward.dense, "ms");
  add("forward, local support", forward.local, "ms");
  add("forward and backward, dense expansion", kan, "ms");
  add("forward and backward, local support", time(steps.local), "ms");
  add("the same, `tf.layers.dense` of equal parameters", plainTime, "ms");
  add("the same, dense with this library's `matMul`", time(steps.fast), "ms");
  add("most tensor memory of a step, dense expansion", await peak(steps.dense), "MB");
  add("most tensor memory of a step, local support", await peak(steps.local), "MB");
  report("memory of the local kernels, MB", kernelMemoryBytes() / 1e6);
}
console.log();
printTable(
  ["", ...SIZES.map((intervals) => `${intervals} intervals`)],
  Array.from(table, ([name, figures]) => [name, ...figures]),
);

function add(name: string, figure: number, unit: string): void {
  const digits = figure < 100 ? 1 : 0;
  table.set(name, [...table.get(name) ?? [], `${figure.toFixed(digits)} ${unit}`]);
}
