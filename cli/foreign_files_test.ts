import assert from "node:assert";
import { join } from "node:path";
import { errorLines, runCommandLine } from "./testdata/command_line.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

Deno.test("no option of any command overwrites a file that kanpress did not write", () =>
  withWorkFolder(async (folder) => {
    const run = (...args: string[]) => runCommandLine(args, { cwd: folder });
    const make = ["compress", "model", "--text", "text.txt", "--data-free", "--out", "small"];
    assert.equal((await run(...make)).code, 0);
    const json = (await run("evaluate", "small", "--text", "text.txt", "--json")).out;
    await Deno.writeTextFile(join(folder, "results.json"), json);
    const mine = "<p>mine</p>\n";
    const commands: Record<string, string[]> = {
      "mine.txt": ["sample", "model", "--tokens", "16", "--out", "mine.txt"],
      "mine.html": ["report", "results.json", "--out", "mine.html"],
      // Where report writes if it is not told where to.
      "results.html": ["report", "results.json"],
      "mine.svg": ["inspect", "small", "--plot", "mine.svg"],
      "mine.png": ["evaluate", "small", "--text", "text.txt", "--plot", "mine.png"],
      "other.html": ["sweep", "model", "--out", "points", "--plot", "other.html"],
      "points/sweep.csv": ["sweep", "model", "--out", "points"],
      "mine.kan.safetensors": [...make.slice(0, -1), "mine.kan.safetensors"],
      "restored/model.safetensors": ["decompress", "small", "--out", "restored"],
    };
    await Deno.mkdir(join(folder, "points"));
    await Deno.mkdir(join(folder, "restored"));
    for (const [name, args] of Object.entries(commands)) {
      const path = join(folder, name);
      await Deno.writeTextFile(path, mine);
      const { code, out, error } = await run(...args);
      assert.equal(code, 1, `${name}: ${error}`);
      assert.equal(out, "");
      const [line = ""] = errorLines(error).slice(-1);
      assert.match(line, /^error: .*(not written by|did not write|somebody else wrote)/, name);
      assert.match(line, /; choose another --(out|plot) or remove it$/, name);
      assert.equal(await Deno.readTextFile(path), mine);
      await Deno.remove(path);
    }
    // What it has written itself it replaces, but for texts, which do not tell.
    const again = ["mine.html", "mine.svg", "mine.png"];
    for (const name of [...again, ...again]) {
      const { code, error } = await run(...commands[name]!);
      assert.equal(code, 0, error);
    }
  }));
