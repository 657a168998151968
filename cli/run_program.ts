import { type Command, CommanderError } from "commander";
import process from "node:process";
import { inspect } from "node:util";
import { isGranted } from "../data/permissions.ts";
import { removeUnfinishedFiles } from "../data/write_file.ts";
import type { Start } from "./options/command.ts";
import { watchForInterrupt } from "./output/interrupt.ts";
import { releaseOutputs } from "./output/output.ts";
import type { ProgramOutput } from "./program.ts";
import { commandLine } from "./terminal/command_line.ts";
import { describeError, exitStatusOf } from "./terminal/errors.ts";
import type { ProgressStyle } from "./terminal/progress_display.ts";
import { startRun } from "./terminal/run.ts";
import { openTerminal, type Terminal } from "./terminal/terminal.ts";

/** Makes a program: how the user calls it, what starts its commands, and where messages go. */
export type CreateProgram = (name: string, start: Start, write: ProgramOutput) => Command;

/**
 * Runs one command line of the program that `create` makes and gives its exit status: 0, 1 for a
 * failure, 2 for a usage error. Never throws: an error becomes one line on stderr (its stack trace
 * too where `KANPRESS_DEBUG` is set).
 */
export async function runProgram(
  name: string,
  args: readonly string[],
  create: CreateProgram,
): Promise<0 | 1 | 2> {
  const watch = watchForInterrupt();
  const terminal = openTerminal();
  const surroundings = {
    print: terminal.print,
    printJson: terminal.printJson,
    printData: terminal.printData,
    writeLine: terminal.writeLine,
    writeEvent: terminal.writeEvent,
    isTerminal: process.stderr.isTTY === true,
    width: process.stdout.columns ?? 100,
    program: name,
    command: commandLine([name, ...args]),
    signal: watch.signal,
    environment: process.env,
    expectInterrupt: watch.expect,
    beforeInterrupt: watch.beforeEnd,
  };
  const start: Start = (load) => async (...given) => {
    // commander passes itself last.
    const { progress = "auto" } = (given.at(-1) as Command).opts<{ progress?: ProgressStyle }>();
    if (progress === "json") terminal.speakJson();
    const run = startRun({ ...surroundings, progress });
    await (await load())(...[...given.slice(0, -1), run] as never[]);
  };
  const program = create(name, start, { out: terminal.writeOut, error: terminal.writeError });
  const uncaught = watchUncaught();
  try {
    const work = program.parseAsync([...args], { from: "user" });
    await Promise.race([watch.guard(work), uncaught.error]);
    return 0;
  } catch (error) {
    report(error, terminal);
    return exitStatusOf(error);
  } finally {
    releaseOutputs();
    removeUnfinishedFiles();
    watch.stop();
    uncaught.stop();
    terminal.close();
  }
}

/** Rejects with an error that nobody catches, as of a package's own listeners: it ends the command. */
function watchUncaught(): { readonly error: Promise<never>; stop(): void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const names = ["uncaughtException", "unhandledRejection"] as const;
  for (const name of names) process.on(name, reject);
  return {
    error: promise,
    stop() {
      for (const name of names) process.off(name, reject);
    },
  };
}

/** Writes an error to stderr, unless it is commander's, which has been written already. */
function report(error: unknown, terminal: Terminal): void {
  if (error instanceof CommanderError) return;
  terminal.writeFailure(describeError(error));
  if (isDebugging()) terminal.writeError(`${inspect(error)}\n`);
}

/** Whether stack traces are wanted; without the permission to know, none are. */
function isDebugging(): boolean {
  const variable = "KANPRESS_DEBUG";
  return isGranted({ name: "env", variable }) && Boolean(process.env[variable]);
}
