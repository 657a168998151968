import type { ProgressDisplay } from "./phases.ts";

/** What a command has of the outside: where its results and messages go, and when to stop. */
export interface Session extends ProgressDisplay {
  /** Writes a result to stdout. */
  print(text: string): void;
  /** Characters that fit on a line of stdout. */
  readonly width: number;
  /** Aborted when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
}
