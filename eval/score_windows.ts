import type { StateDict } from "../data/tensor.ts";
import type { ModelConfig } from "./architectures/config.ts";
import type { TransformerDescription } from "./architectures/description.ts";
import type { BackendName } from "./backend.ts";
import type { EvaluateJob, EvaluateJobResult, EvaluateSetup } from "./evaluate_worker.ts";
import { checkTensors } from "./expected_tensors.ts";
import { planMemory } from "./memory_plan.ts";
import { prepareWeights } from "./prepared_weights.ts";
import type { Window } from "./protocols/window.ts";
import { type JobOptions, planJobs } from "./scoring_jobs.ts";
import type { TokenScores } from "./token_scores.ts";
import { runInWorkers } from "./worker_pool.ts";

/** One or two models, and how to run them. */
export interface ScoringOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The weights as they were. */
  readonly original: StateDict;
  /** The weights after compression, to be compared with the original. */
  readonly compressed?: StateDict;
  /** Number of workers; all cores where absent. The result does not depend on it. */
  readonly threads?: number;
  /** Where tfjs computes; `"wasm"` where absent. */
  readonly backend?: BackendName;
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
export function jobOptions({ objective }: TransformerDescription): JobOptions {
  return {
    tokensPerJob,
    rowsPerSequence: objective === "classification" ? "first" : "all",
    pads: objective === "nextToken",
  };
}

/**
 * Scores windows in Web Workers. With `base`, what `keepsBase` returned in an earlier run over the
 * same windows, only the original's head is run again: the scores are the same.
 */
export async function scoreWindows(
  model: TransformerDescription,
  windows: readonly Window[],
  options: ScoringOptions,
  { base, keepsBase = false }: { base?: BaseStates | undefined; keepsBase?: boolean } = {},
): Promise<WindowScores> {
  const { config, original, compressed, signal } = options;
  const weights = compressed === undefined ? [original] : [original, compressed];
  const plan = planJobs(windows, jobOptions(model));
  const { resident } = planMemory(model, {
    copies: weights.length,
    batchTokens: plan.largestJob,
    contextLength: longestWindow(windows),
    backward: false,
  });
  const models = weights.map((dict) => {
    checkTensors(config, model, Array.from(dict, ([name, { shape }]) => ({ name, shape })));
    return prepareWeights(model, dict, true);
  });
  const jobs = plan.jobs.map((job, index): EvaluateJob => {
    const known = base?.[index];
    if (known === undefined) return job;
    if (known.length === job.rows.length * model.hiddenSize) return { ...job, base: known };
    throw new RangeError("the hidden states are those of other windows");
  });
  let done = 0;
  const results = await runInWorkers<EvaluateSetup, EvaluateJob, EvaluateJobResult>({
    module: new URL("./evaluate_worker.ts", import.meta.url),
    threads: options.threads ?? navigator.hardwareConcurrency,
    setup: { description: model, models, resident, keepsBase, backend: options.backend ?? "wasm" },
    jobs,
    onResult: () => options.onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
  const kept = results.flatMap((result) => result.base === undefined ? [] : [result.base]);
  const scores = plan.inWindowOrder(results.map((result) => result.scores));
  return { scores, ...(keepsBase && { base: kept }) };
}
