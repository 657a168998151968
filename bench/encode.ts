/**
 * How fast are weights coded after calibration, on one core? Prints million weights per second of
 * processor time for quantizing alone (error feedback, candidates and Viterbi's algorithm; one pass),
 * and for the whole step: all passes, the fits of the entropy model between them, and rANS coding.
 * Then how fast the products of error feedback are, and all of it with what is passed on value by
 * value, side by side with tfjs' matMul on WebAssembly.
 *
 *     deno run --allow-all bench/encode.ts
 *     deno run --allow-all bench/encode.ts --states 8
 */
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../eval/mod.ts";
import { symbolCosts } from "../hierarchy/entropy/symbol_costs.ts";
import { laplacianModel, symbolTables } from "../hierarchy/entropy/symbol_model.ts";
import { fitRowColumnScales } from "../hierarchy/entropy/row_column_scales.ts";
import { createErrorFeedbackKernel } from "../hierarchy/quantize/error_feedback_kernel.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { ErrorMetric } from "../hierarchy/matrix/error_metric.ts";
import { createTrellisLevel } from "../hierarchy/levels/trellis_level.ts";
import { packUpper } from "../hierarchy/metric/packed_upper.ts";
import { triangleSize, triangleStart } from "../hierarchy/matrix/triangle.ts";
import { factorTriangle } from "../hierarchy/metric/upper_factor.ts";
import type { TileProduct } from "../hierarchy/quantize/feedback_operations.ts";
import type { FeedbackState } from "../hierarchy/quantize/feedback_state.ts";
import { codingTasks } from "../hierarchy/workers/coding_tasks.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { leastCpuSeconds, leastCpuSecondsLater } from "./support/cpu_seconds.ts";
import { passErrorsOn } from "./support/feedback_pass.ts";
import { readOptions } from "./support/command_line.ts";

/** Million weights per second that each number of states is to reach. */
const GOALS = new Map([[8, 3], [256, 0.3]]);
/** Squared steps that a bit is worth where the rate term is on. */
const RATE_WEIGHT = 0.1;
/** The matrices of a layer of GPT-2, [inputs, outputs]. */
const SHAPES = [[768, 2304], [768, 768], [768, 3072], [3072, 768]] as const;
/** Outputs whose errors are passed on to each other. */
const BLOCK = 768;
/** Runs of which the fastest counts. */
const RUNS = 3;
/** Share of the best WebAssembly product that feedback products are to reach. */
const PRODUCT_GOAL = 0.5;
/**
 * How much faster than tfjs' matMul the best WebAssembly product known is: a tile of 6 by 8 with
 * relaxed multiply-add, 41.5 where tfjs reached 31 GFLOP/s. Its results depend on the machine.
 */
const BEST_TO_TFJS = 41.5 / 31;

type WeighedMatrix = Matrix & { readonly metric: ErrorMetric };

/**
 * Values whose correlation falls with their distance, but not to 0, as a factor: products of numbers
 * as small as 0.9 ** 1000 would take a hundred times as long as those of any model.
 */
function correlatedFactor(size: number): Pick<ErrorMetric, "rowWeights" | "feedback"> {
  const triangle = new Float64Array(triangleSize(size));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) triangle[triangleStart(i) + j] = 0.01 + 0.9 ** (i - j);
  }
  factorTriangle(triangle, size, 0.01);
  return packUpper(triangle, size);
}

/** Feedback between inputs, and between outputs in blocks of 768. */
function correlatedMetric(inputs: number, outputs: number): ErrorMetric {
  const { feedback } = correlatedFactor(BLOCK);
  const columnBlocks = Array.from(
    { length: outputs / BLOCK },
    (_, block) => ({ start: block * BLOCK, size: BLOCK, feedback }),
  );
  const columnWeights = new Float64Array(outputs).fill(1);
  return { ...correlatedFactor(inputs), columnWeights, columnBlocks };
}

function randomMatrices(): WeighedMatrix[] {
  const random = createRandom(1);
  return SHAPES.map(([rows, columns]) => ({
    name: `${rows} x ${columns}`,
    rows,
    columns,
    data: Float32Array.from({ length: rows * columns }, () => 3 * random.normal()),
    metric: correlatedMetric(rows, columns),
  }));
}

async function benchStates(states: number, matrices: readonly Matrix[]): Promise<void> {
  const weights = matrices.reduce((sum, { data }) => sum + data.length, 0) / 1e6;
  const costs = symbolCosts(symbolTables(laplacianModel(2)));
  const goal = GOALS.get(states);
  for (const rateWeight of [0, RATE_WEIGHT]) {
    const tasks = matrices.map((matrix) => {
      const scales = fitRowColumnScales(matrix.data, matrix.rows, matrix.columns);
      return {
        states,
        matrix,
        ...(rateWeight > 0 && { rate: { rateWeight, costs, scales } }),
      };
    });
    const pass = leastCpuSeconds(() => tasks.forEach(codingTasks.quantize), RUNS);
    const level = createTrellisLevel({ states, rateWeight });
    const whole = await leastCpuSecondsLater(() => level.encode(matrices, { seed: 0 }), RUNS);
    const name = `${states} states${rateWeight > 0 ? ", rate term" : ""}`;
    const cells = [weights / pass, weights / whole].map((rate) => rate.toFixed(2).padStart(13));
    console.log(name.padEnd(24) + cells.join("") + `${goal ?? ""}`.padStart(8));
  }
}

/** Error feedback of a matrix: its products, and all of it. */
async function benchFeedback(matrix: WeighedMatrix): Promise<void> {
  await useBackend("wasm");
  const operations = createErrorFeedbackKernel()!;
  let work = 0;
  const counting = {
    ...operations,
    addProduct: (_: FeedbackState, { size, depth }: TileProduct) => work += 2 * size ** 2 * depth,
  };
  const tensor = tf.randomNormal<tf.Rank.R2>([BLOCK, BLOCK], 0, 1, "float32", 1);
  const least = { product: Infinity, all: Infinity, rest: Infinity };
  // In turn, so that all see the same clock of the processor.
  for (let run = 0; run < 5 * RUNS; run++) {
    const product = leastCpuSeconds(() => tf.matMul(tensor, tensor).dispose(), 2);
    const all = leastCpuSeconds(() => passErrorsOn(matrix, operations), 1);
    work = 0;
    const rest = leastCpuSeconds(() => passErrorsOn(matrix, counting), 1);
    least.product = Math.min(least.product, product);
    least.all = Math.min(least.all, all);
    least.rest = Math.min(least.rest, rest);
  }
  const { rows, columns } = matrix;
  const best = {
    matMul: 2 * BLOCK ** 3 / 1e9 / least.product,
    products: work / 1e9 / (least.all - least.rest),
    all: rows * columns * (rows + BLOCK) / 1e9 / least.all,
  };
  tensor.dispose();
  const goal = `goal: ${100 * PRODUCT_GOAL} %`;
  console.log(`\nerror feedback of ${matrix.name}, tfjs' matMul ${best.matMul.toFixed(1)} GFLOP/s`);
  for (const [name, rate] of [["products", best.products], ["all of it", best.all]] as const) {
    const share = rate / best.matMul;
    console.log(
      `${name.padEnd(10)} ${rate.toFixed(1)} GFLOP/s, ${percent(share)} of tfjs and so ` +
        `${percent(share / BEST_TO_TFJS)} of the best WebAssembly product` +
        (name === "products" ? ` (${goal})` : ""),
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

const values = readOptions({ states: { type: "string", default: "8,256" } });
const matrices = randomMatrices();
console.log("million weights per second".padEnd(26) + "    one pass   whole step    goal");
for (const states of values.states.split(",")) await benchStates(Number(states), matrices);
await benchFeedback(matrices[0]!);
await benchFeedback(matrices[3]!);
