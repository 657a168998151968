import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../cli.ts", import.meta.url));

/** What a run of the real command line left. */
export interface Run {
  /** Exit status. */
  readonly code: number;
  /** Everything on stdout. */
  readonly out: string;
  /** Everything on stderr. */
  readonly error: string;
}

/** How a run differs from the usual. */
export interface RunOptions {
  /** Kilobytes that a file may at most have, as a stand-in for a full disk. */
  readonly fileLimit?: number;
  /** Working folder. */
  readonly cwd?: string;
}

/** Starts `cli.ts` as a process of its own. */
export function startCommandLine(args: readonly string[], options: RunOptions = {}) {
  const command = [Deno.execPath(), "run", "--allow-all", "--no-check", PROGRAM, ...args];
  // The shell ignores the signal of the limit, so that the write fails as it does on a full disk.
  const [program = "", ...rest] = options.fileLimit === undefined
    ? command
    : ["bash", "-c", `trap "" XFSZ; ulimit -f ${options.fileLimit}; exec "$@"`, "bash", ...command];
  return new Deno.Command(program, {
    args: rest,
    stdout: "piped",
    stderr: "piped",
    // What it keeps for later runs is not to be mixed up with the user's.
    env: { NO_COLOR: "1", XDG_CACHE_HOME: join(tmpdir(), "kanpress-tests") },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
}

/** Runs `cli.ts` to its end. */
export async function runCommandLine(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const { code, stdout, stderr } = await startCommandLine(args, options).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

/** The lines of stderr that are not progress. */
export function errorLines(error: string): string[] {
  return error.split("\n").filter((line) =>
    line !== "" && !/^\w+( \([^)]*\))?: (done in )?\d/.test(line)
  );
}
