/** Progress of a search over trials of which nobody knows how many there will be. */
export interface TrialProgress {
  /** Begins the next trial; call what it gives with the share of the trial that is done, 0 to 1. */
  next(): (share: number) => void;
  /** Begins a draft, a quick trial after which hardly more than one trial is expected. */
  draft(): (share: number) => void;
}

/** Trials that are expected to be left before the first, the second, and every later one. */
const EXPECTED_LEFT = [3, 2, 1.5] as const;
/** The same before the first where there were drafts. */
const DRAFTED_LEFT = 1.25;
/** Drafts of which one takes as long as what is left before the first trial. */
const DRAFTS_LEFT = 8;

/**
 * Reports one share over all trials that never goes back and stays below 1: each trial takes its part of
 * what is left, as many trials as are usual being expected. `before` is the share that is done before
 * the first.
 */
export function trialProgress(
  progress: ((activity: string, share: number) => void) | undefined,
  before = 0,
): TrialProgress {
  let trials = 0, drafts = 0, start = before, end = before;
  const begin = (activity: string, left: number) => {
    start = end;
    end = start + (1 - start) / left;
    const [from, to] = [start, end];
    return (share: number) =>
      progress?.(activity, from + (to - from) * Math.min(Math.max(share, 0), 1));
  };
  return {
    next() {
      const left = trials === 0 && drafts > 0
        ? DRAFTED_LEFT
        : EXPECTED_LEFT[Math.min(trials, EXPECTED_LEFT.length - 1)]!;
      return begin(`trial ${++trials}`, left);
    },
    draft: () => begin(`draft ${++drafts}`, DRAFTS_LEFT),
  };
}
