/**
 * The command line: `deno task compress`, `evaluate`, `inspect` and `decompress`, or, as a package,
 * `deno run jsr:@kanpress/kanpress/cli compress`. Results go to stdout, everything else to stderr.
 * Exit status: 0, 1 for a failure, 2 for a usage error.
 *
 * @module
 */
import process from "node:process";
import { createProgram } from "./cli/program.ts";
import { runProgram } from "./cli/run_program.ts";

/**
 * Runs one command line, such as `["compress", "--bits", "3"]`, and gives its exit status. Never
 * throws: an error becomes one line on stderr (its stack trace too where `KANPRESS_DEBUG` is set).
 */
export async function main(args: readonly string[]): Promise<0 | 1 | 2> {
  return await runProgram(programName(), args, createProgram);
}

/** How the user called the program: from a checkout by its tasks, otherwise as a package. */
function programName(): string {
  const isPackage = !import.meta.url.startsWith("file:") ||
    import.meta.url.includes("/node_modules/");
  return isPackage ? "kanpress" : "deno task";
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
