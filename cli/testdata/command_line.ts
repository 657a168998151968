import { fileURLToPath } from "node:url";
import { TEST_CACHE } from "./test_cache.ts";

const PROGRAM = fileURLToPath(new URL("../task.ts", import.meta.url));

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

/** What a run of the real command line left. */
export interface FinishedRun {
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
  /** What the shell that starts it does before. */
  readonly shell?: string;
  /** What is put before the command, such as what enters another network; the process is the same. */
  readonly through?: readonly string[];
  /** Working folder. */
  readonly cwd?: string;
  /** Variables of the environment to set. */
  readonly env?: Readonly<Record<string, string>>;
  /** The task of deno.json whose permissions it has; all permissions if omitted. */
  readonly task?: string;
  /** Flags of the permissions that it has, instead. */
  readonly permissions?: readonly string[];
}

/** The part of deno.json that says what a task may do. */
const config: {
  tasks: Record<string, string | { command: string }>;
} = JSON.parse(Deno.readTextFileSync(CONFIG));

/** The command line of a task. */
export function taskCommand(name: string): string {
  const task = config.tasks[name] ?? "";
  return typeof task === "string" ? task : task.command;
}

let knownDenoFolder: string | undefined;

/** Where this Deno keeps packages, which would otherwise follow XDG_CACHE_HOME. */
function denoFolder(): string {
  if (knownDenoFolder === undefined) {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
    knownDenoFolder = String(JSON.parse(new TextDecoder().decode(stdout)).denoDir);
  }
  return knownDenoFolder;
}

/** Starts `cli.ts` as a process of its own. */
export function startCommandLine(args: readonly string[], options: RunOptions = {}) {
  const permissions = options.task === undefined
    ? options.permissions ?? ["--allow-all"]
    : [...taskCommand(options.task).split(" ").slice(2, -2), "--no-prompt", "--config", CONFIG];
  const command = [
    ...options.through ?? [],
    Deno.execPath(),
    "run",
    "--quiet",
    ...permissions,
    "--no-check",
    PROGRAM,
    ...args,
  ];
  // The shell ignores the signal of the limit, so that the write fails as it does on a full disk.
  const shell = options.fileLimit === undefined
    ? options.shell
    : `trap "" XFSZ; ulimit -f ${options.fileLimit}`;
  const [program = "", ...rest] = shell === undefined
    ? command
    : ["bash", "-c", `${shell}; exec "$@"`, "bash", ...command];
  return new Deno.Command(program, {
    args: rest,
    stdout: "piped",
    stderr: "piped",
    // What it keeps for later runs is not to be mixed up with the user's.
    env: {
      NO_COLOR: "1",
      XDG_CACHE_HOME: TEST_CACHE,
      DENO_DIR: denoFolder(),
      ...options.env,
    },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
}

/** Runs `cli.ts` to its end. */
export async function runCommandLine(
  args: readonly string[],
  options: RunOptions = {},
): Promise<FinishedRun> {
  const { code, stdout, stderr } = await startCommandLine(args, options).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

/** Runs `cli.ts` and sends it a signal as soon as stderr and stdout together match `when`. */
export async function interruptCommandLine(
  args: readonly string[],
  cwd: string,
  when: RegExp,
  signal: Deno.Signal,
  options: RunOptions = {},
): Promise<{ code: number; error: string }> {
  const process = startCommandLine(args, { cwd, ...options });
  let error = "", all = "", isSent = false;
  const read = async (stream: ReadableStream<Uint8Array>, isError: boolean) => {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      const text = decoder.decode(bytes, { stream: true });
      all += text;
      if (isError) error += text;
      if (isSent || !when.test(all)) continue;
      isSent = true;
      process.kill(signal);
    }
  };
  await Promise.all([read(process.stderr, true), read(process.stdout, false)]);
  const { code } = await process.status;
  return { code, error };
}

/** The lines of stderr that are not progress. */
export function errorLines(error: string): string[] {
  return error.split("\n").filter((line) =>
    line !== "" && !/^\w[\w ]*( \([^)]*\))?: (done in )?\d/.test(line)
  );
}
