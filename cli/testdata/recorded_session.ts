import type { Session } from "../terminal/session.ts";

/** A session that keeps what a command writes. */
export interface RecordedSession extends Session {
  /** What went to stdout. */
  readonly printed: string[];
  /** What went to stderr. */
  readonly lines: string[];
}

/** A session without a terminal, for running commands inside a test. */
export function recordedSession(): RecordedSession {
  const printed: string[] = [];
  const lines: string[] = [];
  return {
    printed,
    lines,
    print: (text) => void printed.push(text),
    printData: (text) => void printed.push(text),
    writeLine: (line) => void lines.push(line),
    isTerminal: false,
    width: 80,
    command: "deno task test",
    signal: new AbortController().signal,
    expectInterrupt() {},
  };
}
