// @ts-types="./cli_progress.d.ts"
import cliProgress from "cli-progress";
import process from "node:process";
import { formatSeconds } from "../../eval/report/number_text.ts";
import { type Forecast, forecastLines, joined, sum } from "./forecast.ts";
import { progressLine, type ProgressState, progressText } from "./progress_line.ts";

/** What `--progress` may be: `auto` is a bar where stderr is a terminal, otherwise lines. */
export const PROGRESS_STYLES = ["auto", "lines", "json", "none"] as const;
/** One of {@linkcode PROGRESS_STYLES}. */
export type ProgressStyle = typeof PROGRESS_STYLES[number];

/** Where progress goes: stderr, so that stdout carries results only. */
export interface ProgressOutput {
  /** How it is to be shown. */
  readonly progress: ProgressStyle;
  /** Whether a line can be drawn over itself. */
  readonly isTerminal: boolean;
  /** Writes one whole line. */
  writeLine(line: string): void;
  /** Writes a line of JSON for a program. */
  writeEvent(event: Readonly<Record<string, unknown>>): void;
}

/** Shows how far a run is, in one way. */
export interface ProgressDisplay {
  /** Says what the run is going to take. */
  forecast(forecast: Forecast): void;
  /** Work begins; `state` tells at any time how far it is. */
  begin(state: () => ProgressState): void;
  /** Work has got on. */
  update(): void;
  /** Work stops for now: nothing is left on the line. */
  pause(): void;
  /** A phase has ended. */
  ended(phase: string, seconds: number): void;
  /** Writes something else meanwhile, on a line of its own. */
  aside(write: () => void): void;
}

/** Milliseconds between lines where nothing can be drawn over. */
const LINE_INTERVAL = 5000, EVENT_INTERVAL = 1000;

/** Chooses a display. */
export function openDisplay(output: ProgressOutput): ProgressDisplay {
  switch (output.progress) {
    case "json":
      return eventDisplay(output);
    case "none":
      return silentDisplay(output);
    case "lines":
      return lineDisplay(output);
    case "auto":
      return output.isTerminal ? barDisplay(output) : lineDisplay(output);
  }
}

/** One line at the bottom of the terminal, for the whole run. */
function barDisplay(output: ProgressOutput): ProgressDisplay {
  let state: (() => ProgressState) | undefined;
  const width = () => process.stderr.columns || 80;
  const bar = new cliProgress.SingleBar({
    format: () => state === undefined ? "" : progressLine(state(), width()),
    // Deno clears the line when workers start, and the elapsed time goes on.
    forceRedraw: true,
    hideCursor: true,
    clearOnComplete: true,
  });
  const show = () => bar.start(1, 0);
  const hide = () => bar.stop();
  return {
    forecast: (forecast) => forecastLines(forecast).forEach(output.writeLine),
    begin(now) {
      state = now;
      show();
    },
    update() {},
    pause() {
      hide();
      state = undefined;
    },
    ended() {},
    aside(write) {
      if (state === undefined) return write();
      hide();
      write();
      show();
    },
  };
}

/** A line now and then, and one at the end of each phase. */
function lineDisplay({ writeLine }: ProgressOutput): ProgressDisplay {
  return {
    forecast: (forecast) => forecastLines(forecast).forEach(writeLine),
    ...timed(LINE_INTERVAL, (state) => writeLine(progressText(state))),
    ended: (phase, seconds) => writeLine(`${phase}: done in ${formatSeconds(seconds)}`),
    aside: (write) => write(),
  };
}

/** Lines of JSON. */
function eventDisplay({ writeEvent }: ProgressOutput): ProgressDisplay {
  return {
    forecast: ({ phases, memory, quicker = [] }) =>
      writeEvent({
        event: "forecast",
        seconds: sum(phases),
        phases: joined(phases),
        memory,
        quicker,
      }),
    ...timed(EVENT_INTERVAL, (state) => writeEvent({ event: "progress", ...state })),
    ended: (phase, seconds) => writeEvent({ event: "done", phase, seconds }),
    aside: (write) => write(),
  };
}

function silentDisplay({ writeLine }: ProgressOutput): ProgressDisplay {
  return {
    forecast: (forecast) => forecastLines(forecast).forEach(writeLine),
    begin() {},
    update() {},
    pause() {},
    ended() {},
    aside: (write) => write(),
  };
}

/** Tells of work every so many milliseconds, whether it says that it has got on or not. */
function timed(
  interval: number,
  tell: (state: ProgressState) => void,
): Pick<ProgressDisplay, "begin" | "update" | "pause"> {
  let state: (() => ProgressState) | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let last = performance.now();
  const update = () => {
    if (state === undefined || performance.now() - last < interval) return;
    last = performance.now();
    tell(state());
  };
  const pause = () => {
    state = undefined;
    clearInterval(timer);
  };
  return {
    begin(now) {
      pause();
      state = now;
      timer = setInterval(update, interval);
      // Telling how far work is must not keep a program alive that has nothing left to do.
      (timer as { unref?: () => void }).unref?.();
    },
    update,
    pause,
  };
}
