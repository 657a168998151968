/**
 * The command line: `kanpress compress`, `evaluate`, `inspect` and others, once it is installed;
 * `npx kanpress compress` and `deno run jsr:@kanpress/kanpress/cli compress` without. Results go to
 * stdout, everything else to stderr. Exit status: 0, 1 for a failure, 2 for a usage error.
 *
 * @module
 */
import process from "node:process";
import { createProgram } from "./cli/program.ts";
import { runProgram } from "./cli/run_program.ts";
import { programName } from "./cli/terminal/program_name.ts";

/**
 * Runs one command line, such as `["compress", "--bits", "3"]`, and gives its exit status. Never
 * throws: an error becomes one line on stderr (its stack trace too where `KANPRESS_DEBUG` is set).
 */
export async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  return await runProgram(programName(), args, createProgram);
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
