/** Progress of a search over trials of which nobody knows how many there will be. */
export interface TrialProgress {
  /** Begins the next trial; call what it gives with the share of the trial that is done, 0 to 1. */
  next(): (share: number) => void;
}

/** Trials that are expected to be left before the first, the second, and every later one. */
const EXPECTED_LEFT = [3, 2, 1.5] as const;

/**
 * Reports one share over all trials that never goes back and stays below 1: each trial takes its part of
 * what is left, as many trials as are usual being expected. `before` is the share that is done before
 * the first.
 */
export function trialProgress(
  progress: ((activity: string, share: number) => void) | undefined,
  before = 0,
): TrialProgress {
  let trials = 0, start = before, end = before;
  return {
    next() {
      start = end;
      end = start + (1 - start) / EXPECTED_LEFT[Math.min(trials, EXPECTED_LEFT.length - 1)]!;
      const activity = `trial ${++trials}`;
      return (share) =>
        progress?.(activity, start + (end - start) * Math.min(Math.max(share, 0), 1));
    },
  };
}
