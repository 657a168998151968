import { type Environment, type Run, startRun } from "./run.ts";

/** What a program hears of a run. */
export interface SilentRunOptions {
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with what is being done, and its share done, 0 to 1. */
  readonly onProgress?: ((activity: string, share: number) => void) | undefined;
  /** Called with each line that a command would write; nothing is written. */
  readonly onMessage?: ((line: string) => void) | undefined;
  /** Variables of the environment that it sees; none if omitted. */
  readonly environment?: Environment;
}

/** A run of a program that calls what the commands call: it writes nothing. */
export function silentRun(
  { signal, onProgress, onMessage, environment = {} }: SilentRunOptions,
): Run {
  const nothing = () => {};
  const run = startRun({
    print: nothing,
    printJson: nothing,
    printData: nothing,
    writeLine: onMessage ?? nothing,
    writeEvent: nothing,
    progress: "none",
    isTerminal: false,
    width: 80,
    program: "kanpress",
    command: "kanpress",
    signal: signal ?? new AbortController().signal,
    environment,
    expectInterrupt: nothing,
    beforeInterrupt: nothing,
  });
  return {
    ...run,
    phase: (name, work) => run.phase(name, () => work((share) => onProgress?.(name, share))),
  };
}
