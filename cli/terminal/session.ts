import type { ProgressDisplay } from "./phases.ts";

/** What a command has of the outside: where its results and messages go, and when to stop. */
export interface Session extends ProgressDisplay {
  /** Writes a result to stdout. */
  print(text: string): void;
  /** As `print`, for data that another program may read: exact where stdout is not a terminal. */
  printData(text: string): void;
  /** Characters that fit on a line of stdout. */
  readonly width: number;
  /** The command line that runs, as a shell takes it; results name it, to be reproduced by. */
  readonly command: string;
  /** Aborted when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says that Ctrl-C is from now on how the command is meant to end, and no failure. */
  expectInterrupt(): void;
}
