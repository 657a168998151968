import { type Run, startRun } from "../terminal/run.ts";
import { TEST_CACHE } from "./test_cache.ts";

/** A run that keeps what a command writes. */
export interface RecordedRun extends Run {
  /** What went to stdout. */
  readonly printed: string[];
  /** What went to stderr. */
  readonly lines: string[];
}

/** A run without a terminal, for running commands inside a test. */
export function recordedRun(): RecordedRun {
  const printed: string[] = [];
  const lines: string[] = [];
  const run = startRun({
    print: (text) => void printed.push(text),
    printJson: (value) => void printed.push(JSON.stringify(value)),
    printData: (text) => void printed.push(text),
    writeLine: (line) => void lines.push(line),
    writeEvent: (event) => void lines.push(JSON.stringify(event)),
    progress: "auto",
    isTerminal: false,
    width: 80,
    program: "deno task",
    command: "deno task test",
    signal: new AbortController().signal,
    environment: { XDG_CACHE_HOME: TEST_CACHE },
    expectInterrupt() {},
    beforeInterrupt() {},
  });
  return { ...run, printed, lines };
}
