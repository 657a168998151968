// @ts-types="./cli_progress.d.ts"
import cliProgress from "cli-progress";
import { printableLine } from "../../data/printable.ts";
import { formatSeconds, formatShare } from "../../eval/report/number_text.ts";

/** Where progress goes: stderr, so that stdout carries results only. */
export interface ProgressDisplay {
  /** Whether bars can be drawn over themselves. */
  readonly isTerminal: boolean;
  /** Writes one whole line. */
  writeLine(line: string): void;
}

/** Called with the share that is done, 0 to 1, and with what is being done within the phase. */
export type Progress = (share: number, activity?: string) => void;

/** Work that reports how far it is. */
export type PhaseWork<T> = (progress: Progress) => T | Promise<T>;

/** Without a terminal, a phase that is still going is mentioned again after this many milliseconds. */
const PLAIN_LINE_INTERVAL = 5000;

/** Most characters beside a bar, so that it stays on its line. */
const LONGEST_NOTE = 60;

/** Runs a command's phases one after another, shows how far they are and how long they took. */
export class Phases {
  readonly #display: ProgressDisplay;
  readonly #signal: AbortSignal;
  readonly #seconds: Record<string, number> = {};

  /** Shows progress on `display` until `signal` is aborted. */
  constructor(display: ProgressDisplay, signal: AbortSignal) {
    this.#display = display;
    this.#signal = signal;
  }

  /** Seconds of wall clock for each phase that has ended, and their sum as `total`. */
  seconds(): Record<string, number> {
    const total = Object.values(this.#seconds).reduce((sum, value) => sum + value, 0);
    return { ...this.#seconds, total };
  }

  /** Runs `work` as the phase `name`; a name that comes again adds to the same time. */
  async run<T>(name: string, work: PhaseWork<T>): Promise<T> {
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    const tracker = this.#display.isTerminal
      ? trackWithBar(name)
      : trackWithLines(name, this.#display);
    this.#signal.addEventListener("abort", tracker.abandon);
    try {
      const result = await work(tracker.progress);
      tracker.finish(elapsed());
      return result;
    } catch (error) {
      tracker.abandon();
      throw error;
    } finally {
      this.#signal.removeEventListener("abort", tracker.abandon);
      this.#seconds[name] = (this.#seconds[name] ?? 0) + elapsed();
    }
  }
}

interface Tracker {
  readonly progress: Progress;
  readonly finish: (seconds: number) => void;
  readonly abandon: () => void;
}

function trackWithBar(name: string): Tracker {
  const bar = new cliProgress.SingleBar({
    format: `${name.padEnd(11)} {bar} {percentage} %  {note}`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: false,
  });
  bar.start(100, 0, { note: "" });
  return {
    progress: (share, activity = "") =>
      bar.update(Math.round(clamp(share) * 100), { note: printableLine(activity, LONGEST_NOTE) }),
    finish(seconds) {
      bar.update(100, { note: formatSeconds(seconds) });
      bar.stop();
    },
    abandon: () => bar.stop(),
  };
}

function trackWithLines(name: string, display: ProgressDisplay): Tracker {
  let last = performance.now();
  return {
    progress(share, activity) {
      if (performance.now() - last < PLAIN_LINE_INTERVAL) return;
      last = performance.now();
      const what = activity === undefined ? name : `${name} (${activity})`;
      display.writeLine(`${what}: ${formatShare(clamp(share), 0)}`);
    },
    finish: (seconds) => display.writeLine(`${name}: done in ${formatSeconds(seconds)}`),
    abandon: () => {},
  };
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
