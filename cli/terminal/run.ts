import { Phases, type PhaseWork, type ProgressDisplay } from "./phases.ts";

/** Variables of the environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * One run of a command, which all its functions are handed: where results and messages go, how far
 * it is, and when it is to stop.
 */
export interface Run extends ProgressDisplay {
  /** Writes a result to stdout. */
  print(text: string): void;
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
  /** Does `work` as the phase `name`, and shows how far it is. */
  phase<T>(name: string, work: PhaseWork<T>): Promise<T>;
  /** Seconds of wall clock for each phase that has ended, and their sum as `total`. */
  seconds(): Record<string, number>;
}

/** Begins a run, in which no phase has passed yet. */
export function startRun(surroundings: Omit<Run, "phase" | "seconds">): Run {
  const phases = new Phases(surroundings, surroundings.signal);
  return {
    ...surroundings,
    phase: (name, work) => phases.run(name, work),
    seconds: () => phases.seconds(),
  };
}
