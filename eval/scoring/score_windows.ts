import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { BackendName, TfjsBackend } from "../compute/backend.ts";
import type { EvaluateJob, EvaluateJobResult, EvaluateSetup } from "./evaluate_worker.ts";
import { checkTensors } from "../weights/expected_tensors.ts";
import { dependsOnLength } from "../layers/rotary_frequencies.ts";
import { planMemory } from "./memory_plan.ts";
import { prepareWeights, sendWeights } from "../weights/prepared_weights.ts";
import type { Window } from "../protocols/window.ts";
import { type JobOptions, planJobs } from "../scores/scoring_jobs.ts";
import type { TokenScores } from "../scores/token_scores.ts";
import { scoreJobs as scoreJobsNatively } from "../native/score_jobs.ts";
import { requireNative } from "../native/supported.ts";
import type { Device } from "../webgpu/device.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { scoreJobs } from "../webgpu/score_jobs.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { tokensPerJob as tokensPerDeviceJob } from "../webgpu/workspace.ts";
import { Worker } from "../../workers/web_worker.ts";
import { runInWorkers } from "../../workers/worker_pool.ts";

/** One or two models, and how to run them. */
export interface ScoringOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The weights as they were. */
  readonly original: StateDict;
  /** The weights after compression, to be compared with the original. */
  readonly compressed?: StateDict;
  /** Number of workers; all cores if omitted. The result does not depend on it. */
  readonly threads?: number;
  /** What computes it; `"wasm"` if omitted. */
  readonly backend?: BackendName;
  /**
   * Whether `"wasm"` gives the same digits on every machine, which takes a tenth longer: for figures
   * that decide what is written. If omitted, the last digits depend on the processor and the engine.
   */
  readonly roundsAlike?: boolean;
  /** Called with the share of the work that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The original's hidden states before its head at the rows that count, one array for each job. */
export type BaseStates = readonly Float32Array[];

/** What {@linkcode scoreWindows} gives. */
export interface WindowScores {
  /** In the order of the windows' rows. */
  readonly scores: TokenScores;
  /** The original's hidden states, where they were asked for. */
  readonly base?: BaseStates;
}

/** Tokens that one job runs through the model at once, unless one window is longer. */
const tokensPerJob = 1024;

/** Tokens of the longest window. */
export function longestWindow(windows: readonly Window[]): number {
  return windows.reduce((longest, { tokens }) => Math.max(longest, tokens.length), 0);
}

/** How windows of a model are gathered into jobs. */
export function jobOptions({ objective, layers }: TransformerDescription): JobOptions {
  const seesLength = layers.some(({ attention: { rotary } }) => rotary && dependsOnLength(rotary));
  return {
    tokensPerJob,
    rowsPerSequence: objective === "classification" ? "first" : "all",
    pads: objective === "nextToken" && !seesLength,
  };
}

/**
 * Scores windows: on WebGPU by programs of our own where they can run the model, by ONNX Runtime, or
 * in Web Workers. With `base`, what `keepsBase` returned in an earlier run over the same windows, only the
 * original's head is run again: the scores are the same.
 */
export async function scoreWindows(
  model: TransformerDescription,
  windows: readonly Window[],
  options: ScoringOptions,
  reuse: { base?: BaseStates | undefined; keepsBase?: boolean } = {},
): Promise<WindowScores> {
  const { config, original, compressed, backend } = options;
  const weights = compressed === undefined ? [original] : [original, compressed];
  for (const dict of weights) {
    checkTensors(config, model, Array.from(dict, ([name, { shape }]) => ({ name, shape })));
  }
  const device = backend === "webgpu" ? await openDevice() : undefined;
  try {
    const length = longestWindow(windows);
    const runs = device !== undefined && whyUnsupported(model, device, length) === undefined;
    const plan = planJobs(windows, {
      ...jobOptions(model),
      ...(runs && { tokensPerJob: tokensPerDeviceJob(model, device) }),
    });
    const jobs = withBase(plan.jobs, reuse.base, model.hiddenSize);
    const run = { model, windows, weights, largestJob: plan.largestJob, jobs };
    const keepsBase = reuse.keepsBase ?? false;
    const results = runs
      ? await scoreOnDevice(device, run, options, keepsBase)
      : backend === "native"
      ? await scoreNatively(run, options, keepsBase)
      : await scoreInWorkers(run, options, backend ?? "wasm", keepsBase);
    const kept = results.flatMap((result) => result.base === undefined ? [] : [result.base]);
    const scores = plan.inWindowOrder(results.map((result) => result.scores));
    return { scores, ...(keepsBase && { base: kept }) };
  } finally {
    device?.close();
  }
}

/** Jobs with the original's hidden states of an earlier run, however large its jobs were. */
function withBase(
  jobs: readonly EvaluateJob[],
  base: BaseStates | undefined,
  hiddenSize: number,
): readonly EvaluateJob[] {
  if (base === undefined) return jobs;
  const sizes = jobs.map(({ rows }) => rows.length * hiddenSize);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (base.reduce((sum, { length }) => sum + length, 0) !== total) {
    throw new RangeError("the hidden states are those of other windows");
  }
  if (base.every(({ length }, index) => length === sizes[index])) {
    return jobs.map((job, index) => ({ ...job, base: base[index]! }));
  }
  const joined = new Float32Array(total);
  let at = 0;
  for (const states of base) {
    joined.set(states, at);
    at += states.length;
  }
  let start = 0;
  return jobs.map((job, index) => {
    const end = start + sizes[index]!;
    const own = joined.subarray(start, end);
    start = end;
    return { ...job, base: own };
  });
}

/** What is scored, with which weights. */
interface ScoringRun {
  readonly model: TransformerDescription;
  readonly windows: readonly Window[];
  readonly weights: readonly StateDict[];
  readonly jobs: readonly EvaluateJob[];
  readonly largestJob: number;
}

async function scoreOnDevice(
  device: Device,
  { model, weights, jobs }: ScoringRun,
  { onProgress, signal }: ScoringOptions,
  keepsBase: boolean,
): Promise<EvaluateJobResult[]> {
  let done = 0;
  return await scoreJobs(device, {
    model,
    weights: weights.map((dict) => prepareWeights(model, dict, false)),
    jobs,
    keepsBase,
    onResult: () => onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
}

async function scoreNatively(
  { model, weights, jobs }: ScoringRun,
  { threads, onProgress, signal }: ScoringOptions,
  keepsBase: boolean,
): Promise<EvaluateJobResult[]> {
  requireNative(model);
  let done = 0;
  return await scoreJobsNatively({
    model,
    weights: weights.map((dict) => prepareWeights(model, dict, false)),
    jobs,
    threads: threads ?? navigator.hardwareConcurrency,
    keepsBase,
    onResult: () => onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
}

async function scoreInWorkers(
  { model, windows, weights, jobs, largestJob }: ScoringRun,
  { threads, roundsAlike = false, onProgress, signal }: ScoringOptions,
  backend: TfjsBackend,
  keepsBase: boolean,
): Promise<EvaluateJobResult[]> {
  const { resident } = planMemory(model, {
    copies: weights.length,
    batchTokens: largestJob,
    contextLength: longestWindow(windows),
    backward: false,
  });
  const models = weights.map((dict) => sendWeights(prepareWeights(model, dict, true)));
  let done = 0;
  return await runInWorkers<EvaluateSetup, EvaluateJob, EvaluateJobResult>({
    start: () => new Worker(new URL("./evaluate_worker.ts", import.meta.url), { type: "module" }),
    threads: threads ?? navigator.hardwareConcurrency,
    setup: { description: model, models, resident, keepsBase, backend, roundsAlike },
    jobs,
    onResult: () => onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
}
