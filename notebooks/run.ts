/**
 * Executes the notebooks without a window and checks their outputs:
 * `deno task notebooks [--save] [NOTEBOOK...]`. With --save the outputs are kept in the files.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { basename, join } from "node:path";
import { findProblems } from "./check_notebook.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Where the kernel is installed: a folder of the project's own. */
const DATA = join(ROOT, ".jupyter");
const EXECUTE = fileURLToPath(new URL("execute.py", import.meta.url));
/** Seconds that a cell may take. */
const CELL_SECONDS = 600;
/** Debian's Python first: its packages are not those of another Python on the path. */
const PYTHONS = ["/usr/bin/python3", "python3"];

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { save: { type: "boolean", default: false } },
  allowPositionals: true,
});
const notebooks = positionals.length > 0 ? positionals : await listNotebooks();
const python = await findPython();
await installKernel();
const work = await Deno.makeTempDir({ prefix: "notebooks-" });
let failed = 0;
try {
  for (const notebook of notebooks) {
    const start = performance.now();
    const problems = await execute(notebook);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${notebook}: ${problems.length === 0 ? "ok" : "FAILED"} (${seconds} s)`);
    for (const problem of problems) console.error(`  ${problem}`);
    if (problems.length > 0) failed++;
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
Deno.exit(failed === 0 ? 0 : 1);

async function listNotebooks(): Promise<string[]> {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".ipynb")).sort().map((name) => join(folder, name));
}

async function findPython(): Promise<string> {
  for (const python of PYTHONS) {
    const { success } = await new Deno.Command(python, {
      args: ["-c", "import nbclient, nbformat"],
      stderr: "null",
    }).output().catch(() => ({ success: false }));
    if (success) return python;
  }
  console.error("error: no Python with nbclient; install Debian's package python3-nbclient");
  Deno.exit(1);
}

async function installKernel(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--install", "--force"],
    env: { XDG_DATA_HOME: DATA },
  }).output();
  if (success) return;
  console.error(new TextDecoder().decode(stderr));
  Deno.exit(1);
}

/** Executes one notebook; gives what is wrong with it. */
async function execute(notebook: string): Promise<string[]> {
  const output = join(work, basename(notebook));
  const { success, stderr } = await new Deno.Command(python, {
    args: [EXECUTE, notebook, output, String(CELL_SECONDS)],
    env: { JUPYTER_PATH: join(DATA, "jupyter"), NO_COLOR: "1" },
  }).output();
  const message = new TextDecoder().decode(stderr).trim();
  if (!existsSync(output)) return [message];
  const text = await Deno.readTextFile(output);
  const problems = await findProblems(text);
  if (!success && problems.length === 0) problems.push(message);
  if (values.save && problems.length === 0) await Deno.writeTextFile(notebook, text);
  return problems;
}
