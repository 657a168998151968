import type { Forecast } from "./forecast.ts";
import { Phases, type PhaseWork } from "./phases.ts";
import { openDisplay, type ProgressOutput } from "./progress_display.ts";

/** Variables of the environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * One run of a command, which all its functions are handed: where results and messages go, how far
 * it is, and when it is to stop.
 */
export interface Run extends ProgressOutput {
  /** Writes a result to stdout. */
  print(text: string): void;
  /** Writes a result of `--json` to stdout. */
  printJson(value: unknown): void;
  /** As `print`, for data that another program may read: exact where stdout is not a terminal. */
  printData(text: string): void;
  /** Characters that fit on a line of stdout. */
  readonly width: number;
  /** How the user calls the program, such as `deno task`. */
  readonly program: string;
  /** The command line that runs, as a shell takes it; results name it, to be reproduced by. */
  readonly command: string;
  /** Aborted when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** Variables of the environment: they say where caches are. */
  readonly environment: Environment;
  /** Says that Ctrl-C is from now on how the command is meant to end, and no failure. */
  expectInterrupt(): void;
  /** Has `work` done before Ctrl-C ends the process, if that takes no more than a few seconds. */
  beforeInterrupt(work: () => Promise<unknown>): void;
  /** Says what the run is going to take, before it begins; the time left is told by that. */
  expect(forecast: Forecast): void;
  /** Does `work` as the phase `name`, and shows how far it is. */
  phase<T>(name: string, work: PhaseWork<T>): Promise<T>;
  /** Seconds of wall clock for each phase that has ended, and their sum as `total`. */
  seconds(): Record<string, number>;
}

/** Begins a run, in which no phase has passed yet. */
export function startRun(surroundings: Omit<Run, "expect" | "phase" | "seconds">): Run {
  const { print, printJson, printData, writeLine, signal } = surroundings;
  const display = openDisplay(surroundings);
  const phases = new Phases(display, signal);
  return {
    ...surroundings,
    print: (text) => display.aside(() => print(text)),
    printJson: (value) => display.aside(() => printJson(value)),
    printData: (text) => display.aside(() => printData(text)),
    writeLine: (line) => display.aside(() => writeLine(line)),
    expect: (forecast) => phases.expect(forecast),
    phase: (name, work) => phases.run(name, work),
    seconds: () => phases.seconds(),
  };
}
