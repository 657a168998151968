import { collectGarbage } from "../../data/collect_garbage.ts";
import type { Forecast } from "./forecast.ts";
import type { ProgressDisplay } from "./progress_display.ts";
import type { ProgressState } from "./progress_line.ts";
import { TimeLeft } from "./time_left.ts";

/** Called with the share that is done, 0 to 1, and with what is being done within the phase. */
export type Progress = (share: number, activity?: string) => void;

/** Work that reports how far it is. */
export type PhaseWork<T> = (progress: Progress) => T | Promise<T>;

/** While more seconds than `MOMENT` are left, no more is shown as done than this share. */
const MOMENT = 1, MOST_WITH_TIME_LEFT = 0.99;

/** A phase that is running. */
interface PhaseInHand {
  readonly name: string;
  readonly start: number;
  share: number;
  activity?: string;
}

/** Runs a command's phases one after another, shows how far the whole run is, and takes the time. */
export class Phases {
  readonly #display: ProgressDisplay;
  readonly #signal: AbortSignal;
  readonly #seconds: Record<string, number> = {};
  readonly #start = performance.now();
  readonly #left = new TimeLeft();
  #shown = 0;

  /** Shows progress on `display` until `signal` is aborted. */
  constructor(display: ProgressDisplay, signal: AbortSignal) {
    this.#display = display;
    this.#signal = signal;
    signal.addEventListener("abort", () => display.pause());
  }

  /** Says what the run is going to take; how long it still takes is told by that. */
  expect(forecast: Forecast): void {
    this.#left.expect(forecast.phases);
    this.#display.forecast(forecast);
  }

  /** Seconds of wall clock for each phase that has ended, and their sum as `total`. */
  seconds(): Record<string, number> {
    const total = Object.values(this.#seconds).reduce((sum, value) => sum + value, 0);
    return { ...this.#seconds, total };
  }

  /** Runs `work` as the phase `name`; a name that comes again adds to the same time. */
  async run<T>(name: string, work: PhaseWork<T>): Promise<T> {
    const phase: PhaseInHand = { name, start: performance.now(), share: 0 };
    this.#left.begin(name);
    // What goes on for a moment after Ctrl-C says nothing any more.
    const display = this.#signal.aborted ? undefined : this.#display;
    display?.begin(() => this.#state(phase));
    try {
      const result = await work((share, activity) => {
        phase.share = Math.min(1, Math.max(0, share));
        if (activity !== undefined) phase.activity = activity;
        if (!this.#signal.aborted) display?.update();
      });
      // What a phase leaves behind is not in the way of the next one.
      collectGarbage();
      display?.pause();
      if (!this.#signal.aborted) display?.ended(name, secondsSince(phase.start));
      return result;
    } catch (error) {
      display?.pause();
      throw error;
    } finally {
      const seconds = secondsSince(phase.start);
      this.#left.end(seconds);
      this.#seconds[name] = (this.#seconds[name] ?? 0) + seconds;
    }
  }

  #state({ name, start, share: phaseShare, activity }: PhaseInHand): ProgressState {
    const elapsed = secondsSince(this.#start);
    const left = this.#left.seconds(phaseShare, secondsSince(start));
    const byTime = left !== undefined && elapsed > 0 ? elapsed / (elapsed + left) : 0;
    // Where nothing was expected, estimates change; what is shown as done does not go back.
    const done = this.#left.doneShare(phaseShare) ?? byTime;
    // A phase that nobody expected, or that is slower than expected, still takes its time.
    const most = left !== undefined && left > MOMENT ? MOST_WITH_TIME_LEFT : 1;
    this.#shown = Math.max(this.#shown, Math.min(done, most));
    return {
      phase: name,
      phaseShare,
      ...(activity !== undefined && { activity }),
      ...(left !== undefined && { left }),
      share: this.#shown,
      elapsed,
    };
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
