/**
 * The command line: `deno task compress`, `evaluate`, `inspect` and `decompress`, or, as a package,
 * `deno run jsr:@kanpress/kanpress/cli compress`. Results go to stdout, everything else to stderr.
 * Exit status: 0, 1 for a failure, 2 for a usage error.
 *
 * @module
 */
import { CommanderError } from "commander";
import process from "node:process";
import { inspect } from "node:util";
import { describeError, exitStatusOf } from "./cli/terminal/errors.ts";
import { watchForInterrupt } from "./cli/output/interrupt.ts";
import { isGranted } from "./data/permissions.ts";
import { removeUnfinishedFiles } from "./data/write_file.ts";
import { commandLine } from "./cli/terminal/command_line.ts";
import type { Start } from "./cli/options/command.ts";
import { createProgram } from "./cli/program.ts";
import { startRun } from "./cli/terminal/run.ts";
import { releaseOutputs } from "./cli/output/output.ts";
import { openTerminal, type Terminal } from "./cli/terminal/terminal.ts";

/**
 * Runs one command line, such as `["compress", "--bits", "3"]`, and gives its exit status. Never
 * throws: an error becomes one line on stderr (its stack trace too where `KANPRESS_DEBUG` is set).
 */
export async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  const watch = watchForInterrupt();
  const terminal = openTerminal();
  const run = startRun({
    print: terminal.print,
    printData: terminal.printData,
    writeLine: terminal.writeLine,
    isTerminal: process.stderr.isTTY === true,
    width: process.stdout.columns ?? 100,
    command: commandLine([programName(), ...args]),
    signal: watch.signal,
    environment: process.env,
    expectInterrupt: watch.expect,
  });
  const start: Start = (load) => async (...given) => {
    // commander passes itself last.
    await (await load())(...[...given.slice(0, -1), run] as never[]);
  };
  const program = createProgram(programName(), start, {
    out: terminal.writeOut,
    error: terminal.writeError,
  });
  try {
    await watch.guard(program.parseAsync([...args], { from: "user" }));
    return 0;
  } catch (error) {
    report(error, terminal);
    return exitStatusOf(error);
  } finally {
    releaseOutputs();
    removeUnfinishedFiles();
    watch.stop();
    terminal.close();
  }
}

/** Writes an error to stderr, unless it is commander's, which has been written already. */
function report(error: unknown, terminal: Terminal): void {
  if (error instanceof CommanderError) return;
  terminal.writeLine(`error: ${describeError(error)}`);
  if (isDebugging()) terminal.writeError(`${inspect(error)}\n`);
}

/** Whether stack traces are wanted; without the permission to know, none are. */
function isDebugging(): boolean {
  const variable = "KANPRESS_DEBUG";
  return isGranted({ name: "env", variable }) && Boolean(process.env[variable]);
}

/** How the user called the program: from a checkout by its tasks, otherwise as a package. */
function programName(): string {
  const isPackage = !import.meta.url.startsWith("file:") ||
    import.meta.url.includes("/node_modules/");
  return isPackage ? "kanpress" : "deno task";
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
