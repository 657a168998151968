import { CommanderError } from "commander";
import { InputError } from "../data/input_error.ts";
import { errorLine } from "../data/printable.ts";

/** The command line was misused: told in one line, exit status 2. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** The user pressed Ctrl-C: told in one line, exit status 1. */
export class Interrupted extends Error {
  /** Always `"Interrupted"`. */
  override readonly name = "Interrupted";

  /** Says what is left: the outputs that were in their place `before`, whole, and no others. */
  constructor(before: readonly string[] = []) {
    super(
      before.length === 0
        ? "interrupted; no partial output was left behind"
        : `interrupted; ${before.join(" and ")} had been written before and ` +
          `${before.length === 1 ? "is" : "are"} whole`,
    );
  }
}

/**
 * Exit status for an error: 0 where commander only stopped after printing help, 2 for a misuse of
 * the command line, 1 for everything else.
 */
export function exitStatusOf(error: unknown): 0 | 1 | 2 {
  if (error instanceof UsageError) return 2;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}

/**
 * Puts the name of a file or model before messages of `work` that speak of its parts only, whether
 * it throws them or its promise is rejected.
 */
export function naming<T>(name: string, work: () => T): T {
  const rename = (error: unknown): never => {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${name}: ${error.message}`, { cause: error });
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(rename) as T : result;
  } catch (error) {
    return rename(error);
  }
}

/** An error as one line for a person: no stack trace, no line breaks, nothing that is not seen. */
export function describeError(error: unknown): string {
  const line = errorLine(error instanceof Error ? error.message : String(error)).trim();
  if (line !== "") return line;
  return error instanceof Error ? error.name : "unknown failure";
}
