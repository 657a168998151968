// @ts-types="./cli_progress.d.ts"
import cliProgress from "cli-progress";
import process from "node:process";
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

/** Runs a command's phases one after another, shows how far they are and how long they took. */
export class Phases {
  readonly #display: ProgressDisplay;
  readonly #signal: AbortSignal;
  readonly #seconds: Record<string, number> = {};
  readonly #start = performance.now();

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
    const before = (start - this.#start) / 1000;
    const tracker = this.#display.isTerminal
      ? trackWithBar(name, elapsed, before)
      : trackWithLines(name, this.#display, elapsed);
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

function trackWithBar(name: string, elapsed: () => number, before: number): Tracker {
  const line: { share: number; activity?: string; seconds?: number } = { share: 0 };
  const bar = new cliProgress.SingleBar({
    format: () =>
      progressLine({ ...line, name, elapsed: elapsed(), before }, process.stderr.columns ?? 80),
    // Deno clears the line when workers start, and the elapsed time goes on.
    forceRedraw: true,
    hideCursor: true,
    clearOnComplete: false,
  });
  bar.start(1, 0);
  return {
    progress(share, activity) {
      line.share = clamp(share);
      if (activity !== undefined) line.activity = activity;
    },
    finish(seconds) {
      line.seconds = seconds;
      bar.update(1);
      bar.stop();
    },
    abandon: () => bar.stop(),
  };
}

/** How far a phase is. */
export interface PhaseState {
  /** What it is called. */
  readonly name: string;
  /** The share that is done, 0 to 1. */
  readonly share: number;
  /** What is being done within it. */
  readonly activity?: string;
  /** Seconds since it began. */
  readonly elapsed: number;
  /** Seconds from the beginning of the run to that of the phase. */
  readonly before: number;
  /** Seconds that it took, once it has ended. */
  readonly seconds?: number;
}

/** Characters of a bar. */
const BAR_LENGTH = 20;

/** One line, shorter than `width`: the phase, a bar, the time of the run so far and what is left. */
export function progressLine(state: PhaseState, width: number): string {
  const { name, seconds, elapsed, before, activity } = state;
  const share = seconds === undefined ? state.share : 1;
  const full = Math.round(BAR_LENGTH * share);
  const bar = `${"█".repeat(full)}${"░".repeat(BAR_LENGTH - full)}`;
  const percent = formatShare(share, 0).padStart(5);
  const head = `${name.padEnd(11)} ${bar} ${percent}`;
  if (seconds !== undefined) return `${head}  ${formatSeconds(seconds)}`;
  const left = secondsLeft(share, elapsed);
  const time = `${formatClock(before + elapsed)} so far` +
    (left === undefined ? "" : `, ${formatClock(left)} left here`);
  const room = width - 1 - head.length - 2 - time.length - 2;
  const note = activity === undefined || room < 4 ? "" : `  ${printableLine(activity, room)}`;
  return `${head}  ${time}${note}`;
}

/** Seconds that a phase goes on for, judged by its share; undefined until that says something. */
function secondsLeft(share: number, elapsed: number): number | undefined {
  return share < 0.02 || elapsed < 1 ? undefined : elapsed * (1 - share) / share;
}

/** Seconds as `0:05`, `12:30` or `1:02:03`. */
function formatClock(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const two = (value: number) => String(value).padStart(2, "0");
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

function trackWithLines(
  name: string,
  display: ProgressDisplay,
  elapsed: () => number,
): Tracker {
  let last = performance.now();
  return {
    progress(share, activity) {
      if (performance.now() - last < PLAIN_LINE_INTERVAL) return;
      last = performance.now();
      const what = activity === undefined ? name : `${name} (${activity})`;
      const left = secondsLeft(clamp(share), elapsed());
      const time = left === undefined ? "" : `, ${formatClock(left)} left`;
      display.writeLine(`${what}: ${formatShare(clamp(share), 0)}${time}`);
    },
    finish: (seconds) => display.writeLine(`${name}: done in ${formatSeconds(seconds)}`),
    abandon: () => {},
  };
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
