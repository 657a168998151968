/**
 * How fast are language models evaluated, calibrated and continued on the processor? Prints ratios
 * measured side by side in one run: scoring beside a bare matrix product, two workers beside one. The
 * GPT-2-sized model has random weights of the right shapes.
 *
 *     deno run --allow-all bench/evaluate.ts
 */
import process from "node:process";
import * as tf from "@tensorflow/tfjs";
import { embeddedModelPath, openModel, type StateDict } from "../data/mod.ts";
import {
  calibrate,
  createLanguageModel,
  evaluateLanguageModel,
  generateTokens,
  readStateDict,
  useBackend,
} from "../eval/mod.ts";
import { planWindows } from "../eval/protocols/protocol.ts";
import { planJobs } from "../eval/scores/scoring_jobs.ts";
import { runJob, scoreRows } from "../eval/scoring/window_scorer.ts";
import { ParameterStore } from "../eval/weights/parameter_store.ts";
import { prepareWeights } from "../eval/weights/prepared_weights.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { createRandom } from "../kan/mod.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const contextLength = 512;
const config = {
  model_type: "gpt2",
  n_embd: 768,
  n_head: 12,
  n_layer: 12,
  n_positions: 1024,
  vocab_size: 50257,
};

/** Multiply-adds times two that scoring `chunks` chunks needs: linear layers, causal attention, head. */
function scoringFlops(chunks: number): number {
  const { n_embd: size, n_layer: layers, vocab_size: vocabulary } = config;
  const tokens = chunks * contextLength;
  const linear = 2 * 12 * size ** 2 * layers * tokens;
  const attention = 2 * size * (contextLength + 1) * layers * tokens;
  return linear + attention + 2 * size * vocabulary * chunks * (contextLength / 2 - 1);
}

function matMulRate(): number {
  const [rows, inner, columns] = [1024, 768, 3072];
  const [a, b] = [tf.randomNormal([rows, inner]), tf.randomNormal([inner, columns])];
  let best = 0;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    tf.matMul(a, b).dispose();
    best = Math.max(best, 2 * rows * inner * columns / (performance.now() - start) / 1e6);
  }
  tf.dispose([a, b]);
  return best;
}

async function scoringShare(weights: StateDict, tokens: Int32Array): Promise<void> {
  const description = describeModel(config, weights.keys());
  const parameters = new ParameterStore(prepareWeights(description, weights, false), true);
  const chunks = 2;
  const settings = { name: "llama.cpp", contextLength } as const;
  const text = { tokens: tokens.subarray(0, chunks * contextLength) };
  const { jobs } = planJobs(planWindows(description, settings, text), {
    tokensPerJob: chunks * contextLength,
    rowsPerSequence: "all",
    pads: true,
  });
  const job = jobs[0]!;
  let best = { share: 0, rate: 0, peak: 0 };
  for (let i = 0; i < 4; i++) {
    const before = matMulRate();
    const start = performance.now();
    const model = { description, parameters };
    await scoreRows([model], [await runJob(model, job)], job.labels);
    const rate = scoringFlops(chunks) / (performance.now() - start) / 1e6;
    const peak = Math.max(before, matMulRate());
    if (rate / peak > best.share) best = { share: rate / peak, rate, peak };
  }
  parameters.dispose();
  console.log(
    `GPT-2-sized scoring: ${best.rate.toFixed(1)} GFLOP/s, ${(100 * best.share).toFixed(0)} % of ` +
      `tfjs matMul's ${best.peak.toFixed(1)} GFLOP/s on one core (goal: 60 %)`,
  );
}

async function threadRatio(weights: StateDict, tokens: Int32Array): Promise<void> {
  const seconds: number[] = [];
  const processor: number[] = [];
  for (const threads of [1, 2]) {
    const start = performance.now();
    const before = process.cpuUsage();
    await evaluateLanguageModel({ config, original: weights, tokens, contextLength, threads });
    seconds.push((performance.now() - start) / 1000);
    const { user, system } = process.cpuUsage(before);
    processor.push((user + system) / 1e6);
  }
  const [one, two] = seconds as [number, number];
  console.log(
    `GPT-2-sized evaluation of ${tokens.length} tokens: 1 worker ${one.toFixed(1)} s, 2 workers ` +
      `${two.toFixed(1)} s, ratio ${(one / two).toFixed(2)} (goal: 1.7; needs an idle machine); ` +
      `processor time ${processor.map((each) => each.toFixed(1)).join(" and ")} s`,
  );
}

async function generationSpeed(weights: StateDict): Promise<void> {
  const model = createLanguageModel(config, weights);
  const count = 32;
  let start = 0;
  let made = 0;
  for await (const _ of generateTokens(model, Int32Array.of(1, 2, 3), { seed: 1 })) {
    if (made === 0) start = performance.now();
    if (made++ === count) break;
  }
  console.log(
    `GPT-2-sized generation: ${(count / (performance.now() - start) * 1000).toFixed(1)} tokens/s`,
  );
  model.dispose();
}

async function calibrationSpeed(
  name: string,
  options: Parameters<typeof calibrate>[0],
): Promise<void> {
  const start = performance.now();
  const { tokens } = await calibrate(options);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${name}: calibrated on ${tokens} tokens in ${seconds.toFixed(1)} s on ` +
      `${navigator.hardwareConcurrency} cores, ${(tokens / seconds).toFixed(0)} tokens/s`,
  );
}

await useBackend("wasm");
const weights = randomStateDict(config, 1);
const random = createRandom(2);
const tokens = Int32Array.from({ length: 8 * contextLength }, () => random.integer(50257));
await scoringShare(weights, tokens);
await generationSpeed(weights);
await threadRatio(weights, tokens);
await calibrationSpeed("GPT-2-sized", {
  config,
  weights,
  tokens: tokens.subarray(0, 4096),
  contextLength,
});
const embedded = await openModel(embeddedModelPath());
const words = Int32Array.from({ length: 102_400 }, () => random.integer(4096));
await calibrationSpeed("embedded model", {
  config: embedded.config,
  weights: await readStateDict(embedded),
  tokens: words,
  contextLength: 256,
});
