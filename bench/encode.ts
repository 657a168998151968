/**
 * How fast are weights coded after calibration, on one core? Prints million weights a second of
 * processor time for quantizing alone (error feedback, candidates and Viterbi's algorithm; one pass),
 * and for the whole step: all passes, the fits of the entropy model between them, and rANS coding.
 * Then what error feedback adds to quantizing, side by side with tfjs' matMul on WebAssembly.
 *
 *     deno run --allow-all bench/encode.ts
 *     deno run --allow-all bench/encode.ts --states 8
 */
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { useBackend } from "../eval/mod.ts";
import { symbolCosts } from "../hierarchy/entropy/symbol_costs.ts";
import { laplacianModel, symbolTables } from "../hierarchy/entropy/symbol_model.ts";
import { fitScaleField } from "../hierarchy/entropy/scale_field.ts";
import type { ErrorMetric, Matrix } from "../hierarchy/levels/level.ts";
import { createTrellisLevel } from "../hierarchy/levels/trellis_level.ts";
import { packUpper } from "../hierarchy/metric/packed_upper.ts";
import { triangleSize, triangleStart } from "../hierarchy/metric/triangle.ts";
import { factorTriangle } from "../hierarchy/metric/upper_factor.ts";
import { codingTasks } from "../hierarchy/workers/coding_tasks.ts";
import { createRandom } from "../kan/random.ts";
import { leastCpuSeconds, leastCpuSecondsLater } from "./cpu_seconds.ts";

/** Million weights a second that each number of states is to reach. */
const GOALS = new Map([[8, 3], [256, 0.3]]);
/** Squared steps that a bit is worth where the rate term is on. */
const RATE_WEIGHT = 0.1;
/** The matrices of a layer of GPT-2, [inputs, outputs]. */
const SHAPES = [[768, 2304], [768, 768], [768, 3072], [3072, 768]] as const;
/** Runs of which the fastest counts. */
const RUNS = 3;
/** Share of the best WebAssembly product that feedback products are to reach. */
const PRODUCT_GOAL = 0.5;
/**
 * How much faster than tfjs' matMul the best WebAssembly product known is: a tile of 6 by 8 with
 * relaxed multiply-add, 41.5 where tfjs reached 31 GFLOP/s. Its results depend on the machine.
 */
const BEST_TO_TFJS = 41.5 / 31;

/** Inputs whose correlation falls with their distance. */
function correlatedMetric(inputs: number, outputs: number): ErrorMetric {
  const triangle = new Float64Array(triangleSize(inputs));
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j <= i; j++) triangle[triangleStart(i) + j] = 0.9 ** (i - j);
  }
  factorTriangle(triangle, inputs, 0.01);
  return { ...packUpper(triangle, inputs), columnWeights: new Float64Array(outputs).fill(1) };
}

function randomMatrices(): Matrix[] {
  const random = createRandom(1);
  return SHAPES.map(([rows, columns]) => ({
    name: `${rows} x ${columns}`,
    rows,
    columns,
    data: Float32Array.from({ length: rows * columns }, () => 3 * random.normal()),
    metric: correlatedMetric(rows, columns),
  }));
}

async function benchStates(states: number, signal: readonly Matrix[]): Promise<void> {
  const weights = signal.reduce((sum, { data }) => sum + data.length, 0) / 1e6;
  const costs = symbolCosts(symbolTables(laplacianModel(2)));
  const goal = GOALS.get(states);
  for (const rateWeight of [0, RATE_WEIGHT]) {
    const tasks = signal.map((matrix) => {
      const field = fitScaleField(matrix.data, matrix.rows, matrix.columns);
      return {
        states,
        matrix,
        ...(rateWeight > 0 && { rate: { lambda: rateWeight, costs, field } }),
      };
    });
    const pass = leastCpuSeconds(() => tasks.forEach(codingTasks.quantize), RUNS);
    const level = createTrellisLevel({ states, rateWeight });
    const whole = await leastCpuSecondsLater(() => level.encode(signal, { seed: 0 }), RUNS);
    const name = `${states} states${rateWeight > 0 ? ", rate term" : ""}`;
    const cells = [weights / pass, weights / whole].map((rate) => rate.toFixed(2).padStart(13));
    console.log(name.padEnd(24) + cells.join("") + `${goal ?? ""}`.padStart(8));
  }
}

/** What error feedback adds to quantizing a matrix: its products and all that goes with them. */
async function benchFeedback([matrix]: readonly Matrix[]): Promise<void> {
  await useBackend("wasm");
  const { rows, columns } = matrix!;
  const { metric: _, ...plain } = matrix!;
  const size = 1024;
  const a = tf.tensor2d(Float32Array.from({ length: size ** 2 }, (_, i) => Math.sin(i)), [
    size,
    size,
  ]);
  let best = { share: 0, feedback: 0, product: 0 };
  // In turn, so that all see the same clock of the processor.
  for (let run = 0; run < 3 * RUNS; run++) {
    const product = 2 * size ** 3 / 1e9 / leastCpuSeconds(() => tf.matMul(a, a).dispose(), 1);
    const seconds = [matrix!, plain].map((each) =>
      leastCpuSeconds(() => codingTasks.quantize({ states: 1, matrix: each }), 1)
    );
    const feedback = rows * (rows - 1) * columns / 1e9 / (seconds[0]! - seconds[1]!);
    if (feedback / product > best.share) best = { share: feedback / product, feedback, product };
  }
  a.dispose();
  const share = best.share / BEST_TO_TFJS;
  console.log(
    `\nfeedback: ${best.feedback.toFixed(1)} GFLOP/s, ${(100 * best.share).toFixed(0)} % of tfjs ` +
      `matMul's ${best.product.toFixed(1)} and so ${(100 * share).toFixed(0)} % of the best ` +
      `WebAssembly product (goal: ${100 * PRODUCT_GOAL} %)`,
  );
}

const { values } = parseArgs({ options: { states: { type: "string", default: "8,256" } } });
const signal = randomMatrices();
console.log("million weights a second".padEnd(24) + "      one pass   whole step    goal");
for (const states of values.states.split(",")) await benchStates(Number(states), signal);
await benchFeedback(signal);
