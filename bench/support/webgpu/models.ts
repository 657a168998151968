import type { StateDict } from "../../../data/tensor.ts";
import type { ModelConfig } from "../../../eval/architectures/config.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { calibrate } from "../../../eval/calibration/calibrate.ts";
import { evaluateLanguageModel } from "../../../eval/measure/evaluate.ts";
import { planWindows } from "../../../eval/protocols/protocol.ts";
import { planJobs } from "../../../eval/scores/scoring_jobs.ts";
import { jobOptions } from "../../../eval/scoring/score_windows.ts";
import { JobScorer } from "../../../eval/webgpu/job_scorer.ts";
import { openDevice } from "../../../eval/webgpu/open_device.ts";
import { tokensPerJob } from "../../../eval/webgpu/workspace.ts";
import { prepareWeights } from "../../../eval/weights/prepared_weights.ts";
import { difference, say, secondsOf } from "./report.ts";

/** A model and what it is measured with. */
export interface MeasuredModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly original: StateDict;
  readonly compressed: StateDict;
  readonly tokens: Int32Array;
  /** Tokens of a chunk. */
  readonly contextLength: number;
  /** Tokens on which WebAssembly is compared, and tokens of a chunk there. */
  readonly compared: { readonly tokens: number; readonly contextLength: number };
  /** Tokens on which it is calibrated. */
  readonly calibrated: number;
}

/** Prints how fast both models are scored on the device, whole and alone, with counts. */
export async function timeScoring(measured: MeasuredModel): Promise<void> {
  const { name, config, original, compressed, tokens, contextLength } = measured;
  const options = {
    config,
    original,
    compressed,
    tokens,
    contextLength,
    backend: "webgpu" as const,
  };
  const whole = await secondsOf(() => evaluateLanguageModel(options));
  say(
    `${name}: two models on ${tokens.length} tokens in ${whole.toFixed(2)} s with sending and ` +
      `compiling: ${rate(2 * tokens.length, whole)}`,
  );
  const model = describeModel(config, original.keys());
  const windows = planWindows(model, { name: "llama.cpp", contextLength }, { tokens });
  const device = await openDevice();
  const { jobs } = planJobs(windows, {
    ...jobOptions(model),
    tokensPerJob: tokensPerJob(model, device),
  });
  const weights = [original, compressed].map((dict) => prepareWeights(model, dict, false));
  const sendStart = performance.now();
  const scorer = new JobScorer(device, model, weights, jobs);
  await device.gpu.queue.onSubmittedWorkDone();
  say(`${name}: weights sent in ${((performance.now() - sendStart) / 1000).toFixed(2)} s`);
  await scorer.score(jobs[0]!, false);
  const before = { ...device.counts };
  const seconds = await secondsOf(async () => {
    for (const job of jobs) await scorer.score(job, false);
  });
  const { dispatches, submissions, bytesRead } = device.counts;
  const rows = jobs.reduce((sum, job) => sum + job.rows.length, 0);
  const run = jobs.reduce((sum, job) => sum + job.tokens.length, 0);
  const layers = 2 * jobs.length * model.layers.length;
  say(
    `${name}: ${2 * run} tokens scored alone in ${seconds.toFixed(3)} s: ${
      rate(2 * run, seconds)
    }; ` +
      `${jobs.length} jobs of up to ${jobs[0]!.tokens.length} tokens, ` +
      `${dispatches - before.dispatches} dispatches ` +
      `(${
        ((dispatches - before.dispatches) / layers).toFixed(1)
      } a layer and job, head included), ` +
      `${submissions - before.submissions} command buffers, ` +
      `${((bytesRead - before.bytesRead) / rows).toFixed(1)} bytes back a prediction`,
  );
  device.close();
}

/** Prints how far the device's figures are from those of WebAssembly on a short text. */
export async function compareScores(measured: MeasuredModel): Promise<void> {
  const { name, config, original, compressed, compared } = measured;
  const tokens = measured.tokens.subarray(0, compared.tokens);
  const options = { config, original, compressed, tokens, contextLength: compared.contextLength };
  const webgpu = await evaluateLanguageModel({ ...options, backend: "webgpu" });
  const start = performance.now();
  const wasm = await evaluateLanguageModel({ ...options, backend: "wasm" });
  const seconds = (performance.now() - start) / 1000;
  const apart = (found: number, expected: number) =>
    Math.abs(found / expected - 1).toExponential(1);
  say(
    `${name}: on ${tokens.length} tokens WebAssembly takes ${seconds.toFixed(1)} s ` +
      `(${rate(2 * tokens.length, seconds)}); perplexities ${
        apart(webgpu.perplexity.original, wasm.perplexity.original)
      } and ${apart(webgpu.perplexity.compressed!, wasm.perplexity.compressed!)} apart, ` +
      `mean divergence ${wasm.klDivergence!.mean.toPrecision(3)} ${
        apart(webgpu.klDivergence!.mean, wasm.klDivergence!.mean)
      } apart, same top 1 ${webgpu.sameTop1!.share} and ${wasm.sameTop1!.share}`,
  );
}

/** Prints how long calibration takes on the device. */
export async function timeCalibration(measured: MeasuredModel): Promise<void> {
  const { name, config, original: weights, contextLength, calibrated } = measured;
  const tokens = measured.tokens.subarray(0, calibrated);
  const options = { config, weights, tokens, contextLength, backend: "webgpu" as const };
  const seconds = await secondsOf(() => calibrate(options));
  say(
    `${name}: calibrated on ${tokens.length} tokens in ${seconds.toFixed(2)} s, all in all: ` +
      rate(tokens.length, seconds),
  );
}

/** Prints how far the device's statistics are from those of WebAssembly on a short text. */
export async function compareCalibration(measured: MeasuredModel): Promise<void> {
  const { name, config, original: weights, compared } = measured;
  const tokens = measured.tokens.subarray(0, compared.tokens / 2);
  const options = { config, weights, tokens, contextLength: compared.contextLength / 2 };
  const webgpu = await calibrate({ ...options, backend: "webgpu" });
  const start = performance.now();
  const wasm = await calibrate({ ...options, backend: "wasm" });
  const seconds = (performance.now() - start) / 1000;
  let inputs = 0, outputs = 0;
  // Of each layer, relative to its own largest: layers differ by orders of magnitude.
  for (const [weight, expected] of wasm.linears) {
    const found = webgpu.linears.get(weight)!;
    inputs = Math.max(inputs, difference(expected.hessian, found.hessian));
    outputs = Math.max(outputs, difference(expected.fisher!, found.fisher!));
  }
  say(
    `${name}: calibrating on ${tokens.length} tokens WebAssembly takes ${seconds.toFixed(1)} s; ` +
      `moments of inputs ${inputs.toExponential(1)}, Fisher information ` +
      `${outputs.toExponential(1)} apart`,
  );
}

function rate(tokens: number, seconds: number): string {
  return `${Math.round(tokens / seconds).toLocaleString("en")} tokens/s`;
}
