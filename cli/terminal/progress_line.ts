import { printableLine } from "../../data/printable.ts";
import { formatShare } from "../../eval/report/number_text.ts";

/** How far a run is. */
export interface ProgressState {
  /** The phase that is running. */
  readonly phase: string;
  /** The share of that phase that is done, 0 to 1. */
  readonly phaseShare: number;
  /** What is being done within it. */
  readonly activity?: string;
  /** The share of the whole run that is done, 0 to 1; undefined if not known. */
  readonly share?: number;
  /** Seconds since the run began. */
  readonly elapsed: number;
  /** Seconds until it ends; undefined if not known. */
  readonly left?: number;
}

/** Characters of a bar. */
const BAR_LENGTH = 16;

/** One line, shorter than `width`: the phase, then bar, share, and time of the whole run. */
export function progressLine(state: ProgressState, width: number): string {
  const { phase, share = 0, activity } = state;
  const full = Math.round(BAR_LENGTH * share);
  const bar = `${"█".repeat(full)}${"░".repeat(BAR_LENGTH - full)}`;
  const time = `${bar} ${formatShare(share, 0).padStart(5)}  ${timeText(state)}`;
  const head = `${phase.padEnd(11)} ${time}`;
  const room = width - 1 - head.length - 2;
  const note = activity === undefined || room < 4 ? "" : `  ${printableLine(activity, room)}`;
  return [...`${head}${note}`].slice(0, Math.max(1, width - 1)).join("");
}

/** One line for a log: `calibrate (layer 3 of 12): 40 %, 1:25 so far, 2:10 left`. */
export function progressText(state: ProgressState): string {
  const { phase, phaseShare, activity } = state;
  const what = activity === undefined ? phase : `${phase} (${activity})`;
  return `${what}: ${formatShare(phaseShare, 0)}, ${timeText(state)}`;
}

function timeText({ elapsed, left }: ProgressState): string {
  return `${formatClock(elapsed)} so far` +
    (left === undefined ? "" : `, ${formatClock(Math.max(1, left))} left`);
}

/** Seconds as `0:05`, `12:30` or `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  const two = (value: number) => String(value).padStart(2, "0");
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
