import { InputError } from "../../data/input_error.ts";
import type { EvaluationResult } from "./evaluation_result.ts";
import { clusterEstimate, type Estimate, expEstimate } from "../scores/statistics.ts";

/** The part of an {@linkcode EvaluationResult} that runs are compared by. */
export type RunFigures = Pick<EvaluationResult, "fingerprint" | "chunkMeans">;

/** How one run differs from another on the same text. */
export interface RunComparison {
  /** Perplexity as a multiple of the other run's. */
  readonly perplexityRatio: Estimate;
  /** Mean KL divergence minus the other run's, nats, where both have one. */
  readonly klDivergenceChange?: Estimate;
}

/**
 * Compares a run with another that predicted the same tokens: of each its compressed model, or its
 * only one. Standard errors are of the differences, chunk by chunk, so that what is hard about the
 * text drops out. Throws {@linkcode InputError} if the runs predicted different tokens, or
 * disagree on how many chunks those are in.
 *
 * ```ts
 * import { compareRuns } from "@kanpress/kanpress/eval/measure";
 * import assert from "node:assert";
 *
 * const run = (original: number[]) => ({ fingerprint: "f", chunkMeans: { tokens: [9, 9], original } });
 * const { perplexityRatio } = compareRuns(run([3, 4]), run([3.1, 4.1]));
 * assert.ok(Math.abs(perplexityRatio.value - Math.exp(0.1)) < 1e-9);
 * ```
 */
export function compareRuns(base: RunFigures, run: RunFigures): RunComparison {
  if (base.fingerprint !== run.fingerprint) {
    throw new InputError(
      "the runs predicted different tokens; use the same text, tokens, protocol and context",
    );
  }
  const { tokens } = run.chunkMeans;
  if (base.chunkMeans.tokens.length !== tokens.length) {
    throw new InputError(
      `one run has ${base.chunkMeans.tokens.length} chunks and the other ${tokens.length}; ` +
        "measure again",
    );
  }
  const difference = (now: readonly number[], before: readonly number[]) =>
    clusterEstimate(now.map((value, chunk) => value - before[chunk]!), tokens);
  const losses = ({ chunkMeans }: RunFigures) => chunkMeans.compressed ?? chunkMeans.original;
  const perplexityRatio = expEstimate(difference(losses(run), losses(base)));
  const [now, before] = [run.chunkMeans.klDivergence, base.chunkMeans.klDivergence];
  if (now === undefined || before === undefined) return { perplexityRatio };
  return { perplexityRatio, klDivergenceChange: difference(now, before) };
}
