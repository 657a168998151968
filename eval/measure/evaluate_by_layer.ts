import * as tf from "@tensorflow/tfjs";
import type { WeightSource } from "../../data/tensor.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import { type BackendName, readValues, releaseValues, useBackend } from "../compute/backend.ts";
import type { EvaluateOptions } from "./evaluate.ts";
import { type EvaluationResult, fingerprintOf, summarizeScores } from "./evaluation_result.ts";
import { checkTensors, layerTensorNames } from "../weights/expected_tensors.ts";
import { applyLayer, embed, finishStates } from "../model/forward.ts";
import { beginPass, type ForwardPass } from "../layers/forward_pass.ts";
import { planMemory } from "../scoring/memory_plan.ts";
import type { ParameterStore } from "../weights/parameter_store.ts";
import { chooseProtocol, planWindows } from "../protocols/protocol.ts";
import { jobOptions, longestWindow } from "../scoring/score_windows.ts";
import { layerScoringSteps, scoreByLayer } from "../native/score_by_layer.ts";
import { requireNative } from "../native/supported.ts";
import type { TokenScores } from "../scores/token_scores.ts";
import { planJobs, type ScoringJob } from "../scores/scoring_jobs.ts";
import { loadEmbedding, loadTensors } from "../weights/load_tensors.ts";
import { scoreByBlocks, scoringSteps } from "../scoring/score_by_blocks.ts";
import { pickRows } from "../scoring/window_scorer.ts";
import { modelTensors } from "../weights/model_tensors.ts";

/** Tokens that go through a layer at once, unless one window is longer: few, to need little memory. */
const tokensPerJob = 256;

/** What {@linkcode evaluateByLayer} is given. */
export interface EvaluateByLayerOptions
  extends Omit<EvaluateOptions, "original" | "compressed" | "base" | "threads" | "backend"> {
  /** The weights as they were. */
  readonly original: WeightSource;
  /** The weights after compression, to be compared with the original. */
  readonly compressed?: WeightSource;
  /** What computes it; `"wasm"` if omitted. */
  readonly backend?: BackendName;
  /** Number of threads of the backend `native`; all cores if omitted. */
  readonly threads?: number;
}

/**
 * As {@linkcode evaluateLanguageModel}, with the same numbers, but reads the weights layer by layer and
 * runs the whole text through each, so that one layer's weights are in memory at a time, beside the
 * hidden states of the text (4 bytes per token and feature) and the embeddings of its tokens. The
 * head comes in blocks of the size of a layer. tfjs runs in the calling thread.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { evaluateByLayer } from "@kanpress/kanpress/eval/measure";
 * import assert from "node:assert";
 *
 * const { config, weights } = await openModel(embeddedModelPath());
 * const tokens = Int32Array.from({ length: 64 }, (_, i) => 37 * i % 4096);
 * const result = await evaluateByLayer({ config, original: weights, tokens, contextLength: 32 });
 * assert.ok(result.perplexity.original > 1);
 * ```
 */
export async function evaluateByLayer(options: EvaluateByLayerOptions): Promise<EvaluationResult> {
  const { config, original, compressed, onProgress, signal } = options;
  const tensors = await modelTensors({ config, weights: original });
  const model = describeModel(config, tensors.map(({ name }) => name));
  const sources = compressed === undefined ? [original] : [original, compressed];
  for (const { tensors } of sources) checkTensors(config, model, tensors);
  const settings = chooseProtocol(model, options);
  const windows = planWindows(model, settings, options);
  const plan = planJobs(windows, { ...jobOptions(model), tokensPerJob });
  const { jobs } = plan;
  const summarize = async (scores: readonly TokenScores[]) => {
    const fingerprint = await fingerprintOf(windows);
    const { calibrationTokens } = options;
    return summarizeScores(plan.inWindowOrder(scores), {
      ...{ settings, windows, fingerprint },
      ...(calibrationTokens !== undefined && { calibrationTokens }),
    });
  };
  let done = 0;
  const advanceOf = (steps: number) => () => {
    signal?.throwIfAborted();
    onProgress?.(++done / steps);
  };
  if (options.backend === "native") {
    requireNative(model);
    const threads = options.threads ?? navigator.hardwareConcurrency;
    const advance = advanceOf(layerScoringSteps(model, sources.length));
    return await summarize(await scoreByLayer({ model, sources, jobs, threads, advance }));
  }
  await useBackend(options.backend ?? "wasm");
  planMemory(model, {
    copies: sources.length,
    batchTokens: plan.largestJob,
    contextLength: longestWindow(windows),
    backward: false,
  });
  const advance = advanceOf(sources.length * (model.layers.length + 1) + scoringSteps(model));
  const rows: Float32Array[][] = [];
  for (const source of sources) rows.push(await runByLayer(model, source, jobs, advance));
  return await summarize(await scoreByBlocks({ model, sources, rows, jobs, advance }));
}

/** The hidden states before the head at the rows that count, for each job. */
async function runByLayer(
  model: TransformerDescription,
  source: WeightSource,
  jobs: readonly ScoringJob[],
  advance: () => void,
): Promise<Float32Array[]> {
  let states: Float32Array[] = [];
  /** Runs one step of every job with the tensors that it needs, and frees them. */
  const runStep = async (
    parameters: ParameterStore,
    step: (pass: ForwardPass, job: ScoringJob, x: tf.Tensor2D | undefined) => tf.Tensor2D,
  ) => {
    const next: Float32Array[] = [];
    for (const [index, job] of jobs.entries()) {
      next.push(await runOne(model, parameters, job, states[index], step));
    }
    parameters.dispose();
    states = next;
    advance();
  };
  const embeddings = await loadEmbedding(model, source, jobs.flatMap(({ tokens }) => [...tokens]));
  await runStep(embeddings, (pass, { tokens }) => embed(pass, model, tokens));
  for (const layer of model.layers) {
    const parameters = await loadTensors(model, source, layerTensorNames(model, layer));
    await runStep(parameters, (pass, _, x) => applyLayer(pass, layer, x!));
  }
  const { weight, bias } = model.finalNorm ?? {};
  const finalNorm = [weight, bias].filter((name) => name !== undefined);
  const parameters = await loadTensors(model, source, finalNorm);
  const picked: Float32Array[] = [];
  for (const [index, job] of jobs.entries()) {
    const finish = (pass: ForwardPass, _: ScoringJob, x: tf.Tensor2D | undefined) =>
      finishStates(pass, model, x!);
    const values = await runOne(model, parameters, job, states[index], finish);
    picked.push(pickRows(values, job.rows, model.hiddenSize));
    releaseValues(values);
  }
  parameters.dispose();
  return picked;
}

async function runOne(
  model: TransformerDescription,
  parameters: ParameterStore,
  job: ScoringJob,
  state: Float32Array | undefined,
  step: (pass: ForwardPass, job: ScoringJob, x: tf.Tensor2D | undefined) => tf.Tensor2D,
): Promise<Float32Array> {
  const { tokens, batch } = job;
  const causal = model.objective === "nextToken";
  const pass = beginPass(parameters, { batch, length: tokens.length / batch, causal });
  const result = tf.tidy(() => {
    const x = state && tf.tensor2d(state, [tokens.length, model.hiddenSize]);
    return tf.clone(step(pass, job, x));
  });
  pass.dispose();
  if (state !== undefined) releaseValues(state);
  const values = await readValues(result);
  result.dispose();
  return values;
}
