import assert from "node:assert";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TEST_CACHE } from "./testdata/test_cache.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program and gives its exit status and all that it wrote. */
async function run(program: string, args: readonly string[], cwd: string) {
  const path = [dirname(Deno.execPath()), Deno.env.get("PATH")].join(delimiter);
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", KANPRESS_CACHE: TEST_CACHE, PATH: path },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("the installed command speaks of itself, from any folder", () =>
  withWorkFolder(async (folder) => {
    const readme = await Deno.readTextFile(join(ROOT, "README.md"));
    const [, options] = /^deno install (--global .*--name kanpress .*)$/m.exec(readme)!;
    const root = join(folder, "installed");
    const installed = await run(
      Deno.execPath(),
      ["install", "--quiet", "--root", root, ...options!.split(" ")],
      ROOT,
    );
    assert.equal(installed.code, 0, installed.text);
    const kanpress = (...args: string[]) =>
      run(
        join(root, "bin", Deno.build.os === "windows" ? "kanpress.cmd" : "kanpress"),
        args,
        folder,
      );
    assert.match((await kanpress("--help")).text, /^Usage: kanpress /);
    assert.match((await kanpress("sample", "--help")).text, /^ {2}kanpress sample /m);
    const wrong = await kanpress("compress", "--bits", "none");
    assert.equal(wrong.code, 2);
    const done = await kanpress("compress", "model", "--data-free", "--no-evaluate", "--bits", "8");
    assert.equal(done.code, 0, done.text);
    assert.match(done.text, /^next:\n {2}kanpress inspect compressed\//m);
    assert.doesNotMatch(done.text + wrong.text, /deno task/);
  }));
