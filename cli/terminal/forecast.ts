import { formatCount, formatFixed } from "../../eval/report/number_text.ts";
import type { ExpectedPhase } from "./time_left.ts";

/** What a run is going to take. */
export interface Forecast {
  /** Its longer phases, in their order. */
  readonly phases: readonly ExpectedPhase[];
  /** Bytes of memory that it is going to need at most. */
  readonly memory?: number;
  /** What would be quicker, such as `--effort fast`. */
  readonly quicker?: readonly string[];
}

/** Runs that take fewer seconds are not worth a word. */
const WORTH_TELLING = 15;
/** From so many seconds on, it is said what would be quicker. */
const WORTH_QUICKENING = 120;

/**
 * The forecast for people: the time with that of its longer phases, memory, and what would be
 * quicker; nothing of a short run that needs no memory worth telling.
 */
export function forecastLines({ phases, memory, quicker = [] }: Forecast): string[] {
  const seconds = sum(phases);
  if (seconds < WORTH_TELLING) return [];
  const longer = joined(phases).filter((phase) => phase.seconds >= 0.05 * seconds);
  const parts = longer.map((phase) => `${phase.name} ${formatAbout(phase.seconds)}`).join(", ");
  const needed = memory === undefined ? "" : ` and ${aboutBytes(memory)} of memory`;
  const lines = [`this takes about ${formatAbout(seconds)}${needed} (${parts})`];
  if (seconds >= WORTH_QUICKENING && quicker.length > 0) {
    lines.push(`quicker: ${quicker.join("; ")}`);
  }
  return lines;
}

/** Seconds of all phases. */
export function sum(phases: readonly ExpectedPhase[]): number {
  return phases.reduce((total, { seconds }) => total + seconds, 0);
}

/** Phases of the same name as one. */
export function joined(phases: readonly ExpectedPhase[]): ExpectedPhase[] {
  const names = [...new Set(phases.map(({ name }) => name))];
  return names.map((name) => ({
    name,
    seconds: sum(phases.filter((phase) => phase.name === name)),
  }));
}

/** A duration with no more digits than an estimate has: `40 s`, `3 min`, `1.5 h`, `30 h`. */
export function formatAbout(seconds: number): string {
  if (seconds < 5) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90) return `${5 * Math.round(seconds / 5)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  const hours = seconds / 3600;
  return hours < 10 ? `${formatFixed(hours, 1)} h` : `${formatCount(hours)} h`;
}

/** A size with two digits: `640 MB`, `1.8 GB`. */
function aboutBytes(bytes: number): string {
  if (bytes < 995e6) return `${formatCount(Math.max(10, 10 * Math.round(bytes / 1e7)))} MB`;
  return `${bytes < 9.95e9 ? formatFixed(bytes / 1e9, 1) : formatCount(bytes / 1e9)} GB`;
}
