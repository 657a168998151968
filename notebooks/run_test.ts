import assert from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { needsNbclient } from "./testdata/needs_nbclient.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

function notebook(...sources: string[]): string {
  const cells = sources.map((source, index) => ({
    cell_type: "code",
    execution_count: null,
    id: `cell-${index + 1}`,
    metadata: {},
    outputs: [],
    source,
  }));
  const kernelspec = { display_name: "Deno", language: "typescript", name: "deno" };
  return JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 });
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", join(FOLDER, "run.ts"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), error: decoder.decode(stderr) };
}

const FIGURE = `
import { displayFigure, functionsFigure } from "@kanpress/kanpress/plots";
const texts = { title: "title", xTitle: "x", yTitle: "y" };
const figure = functionsFigure([{ name: "f", x: [0, 1, 2], y: [0, 1, 4] }], texts);
`;

Deno.test("notebooks are executed, figures and all; errors and empty figures fail", {
  ...needsNbclient,
}, async () => {
  // Here, where the kernel finds the project's import map.
  using folder = new TemporaryFolder({ dir: FOLDER, prefix: "run-test-" });
  const files: Record<string, string> = {
    good: notebook(
      "const MODEL: string | undefined = undefined;\nconsole.log(`model ${MODEL}`)",
      `${FIGURE}displayFigure(figure, { renderer: "builtin" })`,
    ),
    error: notebook("console.log(1)", "throw new TypeError('no such thing')"),
    empty: notebook(
      `${FIGURE}const empty = { ...figure, data: [{ ...figure.data[0], y: [null, null, null] }] };
displayFigure(empty, { renderer: "builtin" })`,
    ),
  };
  const paths = await Promise.all(
    Object.entries(files).map(async ([name, text]) => {
      const path = join(folder.path, `${name}.ipynb`);
      await writeFile(path, text);
      return path;
    }),
  );
  const { code, out, error } = await run(...paths);
  assert.equal(code, 1);
  assert.match(out, /good.ipynb: ok .*\n.*error.ipynb: FAILED .*\n.*empty.ipynb: FAILED/);
  assert.match(error, /cell 2: TypeError: no such thing/);
  assert.match(error, /cell 1: trace 1 of a figure has no values/);
  assert.equal(await readFile(paths[0]!, "utf8"), files["good"]);

  assert.equal((await run("--save", paths[0]!)).code, 0);
  const saved = await readFile(paths[0]!, "utf8");
  assert.match(saved, /model undefined/);
  assert.match(saved, /"image\/png": "iVBOR/);
  assert.equal((await run("--model", "some/model", paths[0]!)).code, 0);
  assert.equal(await readFile(paths[0]!, "utf8"), saved);
});

Deno.test("misuse and a missing nbclient end with one line", async () => {
  const cases: [string[], number, RegExp][] = [
    [
      ["--python", "/no/python3"],
      1,
      /^error: \/no\/python3: has no nbclient; install Debian's .*\n$/,
    ],
    [["missing.ipynb"], 2, /^error: missing.ipynb: there is no such notebook\n$/],
    [["--saev"], 2, /^error: Unknown option '--saev'.*see --help\n$/s],
    [["--save", "--model", "x"], 2, /^error: --save keeps .*\n$/],
  ];
  for (const [args, status, message] of cases) {
    const { code, error } = await run(...args);
    assert.equal(code, status, error);
    assert.match(error, message);
  }
});
