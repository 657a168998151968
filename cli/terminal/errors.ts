import { CommanderError } from "commander";
import { errorCode } from "../../data/file_error.ts";
import { isOutOfMemory, MEMORY_ADVICE } from "../../data/out_of_memory.ts";
import { errorLine, printableLine } from "../../data/printable.ts";

export { naming } from "../../data/naming.ts";

/** The command line was misused: told in one line, exit status 2. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** The user pressed Ctrl-C: told in one line, exit status 1. */
export class Interrupted extends Error {
  /** Always `"Interrupted"`. */
  override readonly name = "Interrupted";

  /**
   * Says what is left: the outputs that were in their place `before`, whole, and no others; and whether
   * what was done is kept for the same command.
   */
  constructor(before: readonly string[] = [], isKept = false) {
    super(
      before.length === 0
        ? isKept
          ? "interrupted; what is done is kept: run the same again to go on"
          : "interrupted; no partial output was left behind"
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

/** An error as one line for a person: no stack trace, no line breaks, nothing that is not seen. */
export function describeError(error: unknown): string {
  const missing = missingPackage(error);
  if (missing !== undefined) {
    return `this needs the package ${missing}, which is not installed: npm install ${missing}`;
  }
  if (error instanceof RangeError && isOutOfMemory(error)) return MEMORY_ADVICE;
  const line = errorLine(error instanceof Error ? error.message : String(error)).trim();
  if (line !== "") return line;
  return error instanceof Error ? error.name : "unknown failure";
}

/** The package that an import did not find: Node's packages need not all be installed. */
function missingPackage(error: unknown): string | undefined {
  if (errorCode(error) !== "ERR_MODULE_NOT_FOUND") return undefined;
  return /Cannot find package '((?:@[^/']+\/)?[^/']+)/.exec((error as Error).message)?.[1];
}

/**
 * commander's message of a misuse, in which an argument's line breaks could pass for lines of the
 * program: the problem, and the suggestion if there is one, on a line each.
 */
export function usageErrorText(message: string): string {
  const [, problem = message, suggestion] =
    /^(.*?)(?:\n(\(Did you mean .*))?$/s.exec(message.trimEnd()) ?? [];
  const lines = suggestion === undefined ? [problem] : [problem, suggestion];
  return lines.map((line) => printableLine(line)).join("\n");
}
