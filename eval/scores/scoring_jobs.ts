import type { Window } from "../protocols/window.ts";
import { allocateScores, copyScores, type TokenScores } from "./token_scores.ts";
import { greatest } from "../../data/extremes.ts";

/** Sequences of equal length that go through the model together, and what is scored of them. */
export interface ScoringJob {
  /** Token ids of all sequences, one after another. */
  readonly tokens: Int32Array;
  /** Number of sequences. */
  readonly batch: number;
  /** Rows that count, as indices into all rows of the batch. */
  readonly rows: Int32Array;
  /** The token that each of these rows should find likely. */
  readonly labels: Int32Array;
}

/** Windows gathered into jobs. */
export interface JobPlan {
  /** The jobs, longest sequences first. */
  readonly jobs: readonly ScoringJob[];
  /** Most tokens of a job. */
  readonly largestJob: number;
  /** Puts the scores of the jobs into the order of the windows' rows. */
  readonly inWindowOrder: (scores: readonly TokenScores[]) => TokenScores;
}

/** How windows may be gathered. */
export interface JobOptions {
  /** Tokens of a job, unless one window is longer. */
  readonly tokensPerJob: number;
  /** Rows of hidden states of each sequence: all of them, or the first only (classifiers). */
  readonly rowsPerSequence: "all" | "first";
  /** Whether shorter windows may be filled up at their end, where causal models do not look. */
  readonly pads: boolean;
}

/** Gathers windows of similar length into jobs. */
export function planJobs(windows: readonly Window[], options: JobOptions): JobPlan {
  const byLength = windows.map((_, index) => index)
    .toSorted((a, b) => windows[b]!.tokens.length - windows[a]!.tokens.length || a - b);
  const groups: number[][] = [];
  let longest = 0;
  for (const index of byLength) {
    const { length } = windows[index]!.tokens;
    const group = groups.at(-1);
    const fits = group !== undefined && (options.pads || length === longest) &&
      (group.length + 1) * longest <= options.tokensPerJob;
    if (fits) {
      group.push(index);
    } else {
      groups.push([index]);
      longest = length;
    }
  }
  const jobs = groups.map((group) => makeJob(group.map((index) => windows[index]!), options));
  return {
    jobs,
    largestJob: greatest([0, ...jobs.map(({ tokens }) => tokens.length)]),
    inWindowOrder: (scores) => reorder(windows, groups, scores),
  };
}

function makeJob(windows: readonly Window[], { rowsPerSequence }: JobOptions): ScoringJob {
  const length = windows[0]!.tokens.length;
  const tokens = new Int32Array(windows.length * length);
  const rows: number[] = [];
  windows.forEach((window, sequence) => {
    tokens.set(window.tokens, sequence * length);
    const first = sequence * (rowsPerSequence === "all" ? length : 1);
    for (const row of window.rows) rows.push(first + row);
  });
  const labels = Int32Array.from(windows.flatMap((window) => [...window.labels]));
  return { tokens, batch: windows.length, rows: Int32Array.from(rows), labels };
}

function reorder(
  windows: readonly Window[],
  groups: readonly (readonly number[])[],
  scores: readonly TokenScores[],
): TokenScores {
  const starts: number[] = [];
  let total = 0;
  for (const { rows } of windows) {
    starts.push(total);
    total += rows.length;
  }
  const joined = allocateScores(total, scores[0]?.compressed !== undefined);
  groups.forEach((group, job) => {
    let from = 0;
    for (const index of group) {
      const count = windows[index]!.rows.length;
      copyScores(joined, starts[index]!, scores[job]!, from, count);
      from += count;
    }
  });
  return joined;
}
