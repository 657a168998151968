/**
 * Executes the notebooks without a window and checks their outputs; with --save the outputs are kept
 * in the files. `deno task notebooks --help` tells the options.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { basename, dirname, join, resolve } from "node:path";
import { findProblems } from "./check_notebook.ts";
import { hasNbclient } from "./nbclient.ts";
import { writePictures } from "./pictures.ts";
import { changedFigures } from "./saved_figures.ts";

const HELP = `Usage: deno task notebooks [options] [notebooks...]

Executes notebooks (default: all of this folder) in Deno's kernel for Jupyter, which is installed
into .jupyter/, and fails on an error, a figure that is missing or empty, too much output, and
figures that are no longer those of the file: --save keeps the new ones.

Options:
  --save           keep the outputs in the files, and draw the documentation's pictures
  --model <name>   a folder, or a model of the hub, in the place of the embedded model
  --python <path>  a Python that has nbclient (default: /usr/bin/python3, then python3)
  --help           display this help

Examples:
  deno task notebooks
  deno task notebooks --save notebooks/1_quick_start.ipynb
  deno task notebooks --model ./my-model notebooks/2_size_and_quality.ipynb`;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Where the kernel is installed: a folder of the project's own. */
const DATA = join(ROOT, ".jupyter");
const EXECUTE = fileURLToPath(new URL("execute.py", import.meta.url));
/** Seconds that a cell may take. */
const CELL_SECONDS = 1800;
/** Debian's Python first: its packages are not those of another Python on the path. */
const PYTHONS = ["/usr/bin/python3", "python3"];

const { values, positionals } = readArguments();
const notebooks = positionals.length > 0 ? positionals : await listNotebooks();
for (const notebook of notebooks) {
  if (!existsSync(notebook)) fail(`${notebook}: there is no such notebook`, 2);
}
const model = values.model !== undefined && existsSync(values.model)
  ? resolve(values.model)
  : values.model;
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
const own = notebooks.some((notebook) => dirname(resolve(notebook)) === dirname(EXECUTE));
if (values.save && failed === 0 && own) await writePictures();
Deno.exit(failed === 0 ? 0 : 1);

function fail(message: string, status: 1 | 2): never {
  console.error(`error: ${message}`);
  Deno.exit(status);
}

function readArguments() {
  const options = {
    save: { type: "boolean" },
    model: { type: "string" },
    python: { type: "string" },
    help: { type: "boolean" },
  } as const;
  try {
    const parsed = parseArgs({ args: Deno.args, options, allowPositionals: true });
    if (parsed.values.help) {
      console.log(HELP);
      Deno.exit(0);
    }
    if (!parsed.values.save || parsed.values.model === undefined) return parsed;
  } catch (error) {
    fail(`${(error as Error).message}; see --help`, 2);
  }
  fail("--save keeps the outputs of the embedded model; leave out --model", 2);
}

async function listNotebooks(): Promise<string[]> {
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  return names.filter((name) => name.endsWith(".ipynb")).sort().map((name) => join(folder, name));
}

async function findPython(): Promise<string> {
  const { python: asked } = values;
  for (const python of asked === undefined ? PYTHONS : [asked]) {
    if (await hasNbclient(python)) return python;
  }
  const where = asked === undefined ? "no Python here has nbclient" : `${asked}: has no nbclient`;
  fail(
    `${where}; install Debian's package python3-nbclient, or nbclient from PyPI and name its Python ` +
      "with --python",
    1,
  );
}

async function installKernel(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--install", "--force"],
    env: { XDG_DATA_HOME: DATA },
  }).output();
  if (success) return;
  fail(`the kernel cannot be installed into ${DATA}: ${new TextDecoder().decode(stderr)}`, 1);
}

/** Executes one notebook; gives what is wrong with it. */
async function execute(notebook: string): Promise<string[]> {
  const output = join(work, basename(notebook));
  const { success, stderr } = await new Deno.Command(python, {
    args: [EXECUTE, notebook, output, String(CELL_SECONDS), ...model === undefined ? [] : [model]],
    env: { JUPYTER_PATH: join(DATA, "jupyter"), NO_COLOR: "1" },
  }).output();
  const message = new TextDecoder().decode(stderr).trim();
  if (!existsSync(output)) return [message];
  const text = await Deno.readTextFile(output);
  const problems = await findProblems(text);
  if (!success && problems.length === 0) problems.push(message);
  // What another model shows is not what the files hold.
  if (success && !values.save && model === undefined) {
    problems.push(...changedFigures(await Deno.readTextFile(notebook), text));
  }
  if (values.save && problems.length === 0) {
    await Deno.writeTextFile(notebook, text);
    // Lays the code out as that of other files. The check of all files leaves notebooks out: it takes a
    // notebook that it has just written for one to be changed (Deno 2.9.6).
    const args = ["fmt", "--quiet", "--no-config", "--line-width", "100", notebook];
    await new Deno.Command(Deno.execPath(), { args }).output();
  }
  return problems;
}
