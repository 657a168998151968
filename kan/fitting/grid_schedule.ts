import { requireInteger, requireNumber, requireOptionNames } from "../numeric/checks.ts";

/** What the options of a run are if omitted. */
export interface GridUpdateDefaults {
  /** All steps over the steps from one update to the next. */
  readonly updates: number;
  /** Share of evenly spaced grids. */
  readonly uniformShare: number;
}

/** The best for fits of ten functions of different kinds: see `bench/kan_training.ts`. */
const FIT_DEFAULTS: GridUpdateDefaults = { updates: 16, uniformShare: 0.5 };
/** An update keeps the values of curves but not their second derivatives, which equations need. */
const EQUATION_DEFAULTS: GridUpdateDefaults = { updates: 8, uniformShare: 0.02 };

/** The defaults of a run with these options. */
export function gridUpdateDefaults(
  { equations = [] }: { readonly equations?: readonly unknown[] },
): GridUpdateDefaults {
  return equations.length > 0 ? EQUATION_DEFAULTS : FIT_DEFAULTS;
}

/** When training moves the grids to where the inputs of the edges are, and how. */
export interface GridUpdateOptions {
  /**
   * Steps from one update to the next, at least 1; a 16th of all steps (an eighth with equations), but
   * 5 or more, if omitted.
   */
  readonly every?: number;
  /** Updates come only after this many steps, 0 or more; 0, before the first step, if omitted. */
  readonly start?: number;
  /** Updates come only before this many steps are done; a little over half of all if omitted. */
  readonly until?: number;
  /**
   * Share of evenly spaced grids in the new ones, 0 to 1: 0 follows the samples, 1 only their range;
   * .5 if omitted, .02 with equations. pykan's `grid_eps`, .02 there.
   */
  readonly uniformShare?: number;
  /**
   * The most samples that an update looks at, at least 1, drawn anew each time. If absent, all where
   * steps take all, else as many as are in a batch or ten for each spline, whichever is more.
   */
  readonly samples?: number;
}

/** The grid updates of one training run. */
export interface GridSchedule {
  /** Whether an update comes after `done` steps. */
  isDue(done: number): boolean;
  /** Whether one comes after `done` steps or later in the run. */
  isAhead(done: number): boolean;
}

/** Throws a RangeError for an option out of its range. */
export function requireGridUpdate(options: GridUpdateOptions): void {
  requireOptionNames("gridUpdate", options, {
    every: true,
    start: true,
    until: true,
    uniformShare: true,
    samples: true,
  });
  const { every, start, until, uniformShare, samples } = options;
  if (every !== undefined) requireInteger("gridUpdate.every", every, 1);
  if (start !== undefined) requireInteger("gridUpdate.start", start, 0);
  if (until !== undefined && until !== Infinity) requireInteger("gridUpdate.until", until, 0);
  if (samples !== undefined) requireInteger("gridUpdate.samples", samples, 1);
  if (uniformShare !== undefined) {
    requireNumber("gridUpdate.uniformShare", uniformShare, { least: 0, most: 1 });
  }
}

/** When the grids are updated in a run of `steps` steps. */
export function scheduleGridUpdates(
  options: GridUpdateOptions | false,
  steps: number,
  defaults: GridUpdateDefaults = FIT_DEFAULTS,
): GridSchedule {
  if (options === false) return { isDue: () => false, isAhead: () => false };
  const { every = Math.max(5, Math.ceil(steps / defaults.updates)), start = 0 } = options;
  const { until = Math.floor(steps / 2) + 1 } = options;
  const end = Math.min(until, steps);
  const isDue = (done: number) => done >= start && done < end && done % every === 0;
  const last = Math.ceil(end / every - 1) * every;
  return { isDue, isAhead: (done) => last >= start && done <= last };
}
