import assert from "node:assert";
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "../testdata/command_line.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

/** Clears the screen, sets the title, starts a line of its own, and turns round what follows. */
const HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b31m\x7f\nerror: forged\r\u202e\u200b";
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Runs the command line; nothing that it writes may act upon a terminal or be forged. */
async function runSafely(cwd: string, ...args: string[]) {
  const run = await runCommandLine(args, { cwd });
  for (const line of `${run.out}\n${run.error}`.split("\n")) {
    assert.ok(!UNPRINTABLE.test(line.replaceAll("\t", "")), JSON.stringify(line));
    assert.ok(!line.startsWith("error: forged"), line);
  }
  return run;
}

Deno.test("names of folders and sources reach the terminal escaped, in every command", () =>
  withWorkFolder(async (folder) => {
    const model = `m${HOSTILE}`;
    renameSync(join(folder, "model"), join(folder, model));
    const measured = ["--text", "text.txt", "--threads", "1"];
    const written = ["--out", `out${HOSTILE}`];
    const compress = ["compress", model, "--data-free", ...measured, ...written];
    const { code, out, error } = await runSafely(folder, ...compress);
    assert.equal(code, 0, error);
    assert.match(out, /^m\\u001b\[2J\\u001b\]0;title\\u0007\\u009b31m\\u007f\\nerror: forged/);
    const compressed = `out${HOSTILE}`;
    const inspected = await runSafely(folder, "inspect", compressed);
    assert.match(inspected.out, /made from m\\u001b/);
    const json = await runSafely(folder, "inspect", compressed, "--json");
    assert.equal(JSON.parse(json.out).source, model);
    const earlier = await runSafely(folder, "evaluate", compressed, ...measured, "--json");
    assert.ok(JSON.parse(earlier.out).comparedWith.name.endsWith(model));
    const results = `results${HOSTILE}.json`;
    await Deno.writeTextFile(join(folder, results), earlier.out);
    const against = await runSafely(
      folder,
      "evaluate",
      compressed,
      ...measured,
      "--against",
      results,
    );
    assert.match(against.out, /against out\\u001b.* in results\\u001b/);
    assert.equal((await runSafely(folder, "report", results)).code, 0);
    const task = ["--task", "lambada_openai", "--data", `task${HOSTILE}.jsonl`];
    const question = `{"text": "The ferry was late, ${"and so on ".repeat(2)}home"}\n`;
    await Deno.writeTextFile(join(folder, task[3]!), question.repeat(3));
    const asked = await runSafely(folder, "evaluate", compressed, "--threads", "1", ...task);
    assert.equal(asked.code, 0, asked.error);
    await runSafely(folder, "decompress", compressed, "--out", `restored${HOSTILE}`);
    const sweep = ["sweep", model, "--bits", "4", "--data-free", ...measured];
    assert.equal((await runSafely(folder, ...sweep, "--out", `sweep${HOSTILE}`)).code, 0);
    assert.equal((await runSafely(folder, "compress", `absent${HOSTILE}`)).code, 1);
  }));

Deno.test("what a model writes keeps its line breaks and nothing else", () =>
  withWorkFolder(async (folder) => {
    const hot = ["--temperature", "100", "--top-k", "0", "--max-tokens", "300"];
    const write = async (seed: number, ...more: string[]) => {
      const args = ["evaluate", "model", "--prompt", "The ferry", "--seed", String(seed), ...hot];
      return (await runSafely(folder, ...args, ...more)).out;
    };
    // Any byte may come, the one that ends a text among them.
    let seed = 0;
    while (seed < 50 && !/\\u00[01]/.test(await write(seed))) seed++;
    const { continuations } = JSON.parse(await write(seed, "--json"));
    assert.match(continuations.original, UNPRINTABLE);
    const args = ["sample", "model", "--tokens", "300"];
    const exact = await runCommandLine(args, { cwd: folder });
    await runCommandLine([...args, "--out", "sample.txt"], { cwd: folder });
    assert.equal(exact.out, Deno.readTextFileSync(join(folder, "sample.txt")));
  }));

Deno.test("values of a config are shown short and escaped", () =>
  withWorkFolder(async (folder) => {
    const { code, error } = await runSafely(folder, "compress", "model", "--text", "text.txt");
    assert.equal(code, 1);
    const shown = /found (".*")\n$/.exec(error)?.[1] ?? "";
    assert.ok(shown.length <= 80 && shown.startsWith('"\\u001b[2J'), error);
  }, { config: { activation_function: HOSTILE.repeat(1000) } }));

Deno.test("misuse is told of in lines that its arguments cannot forge", () =>
  withWorkFolder(async (folder) => {
    for (const args of [["inspect", "a", HOSTILE], [`compress`, `--bits=${HOSTILE}`], [HOSTILE]]) {
      assert.equal((await runSafely(folder, ...args)).code, 2);
    }
    const { error } = await runSafely(folder, "compress", "--bitz", "4");
    assert.match(error, /unknown option '--bitz'\n\(Did you mean --bits\?\)\n/);
  }));

Deno.test("sound or not, the small hostile files are shown without effect on the terminal", async () => {
  const cases = fileURLToPath(new URL("../../../shared/cases/", import.meta.url));
  let files: string[];
  try {
    files = readdirSync(join(cases, "kan")).filter((name) => name.includes("ansi"));
  } catch {
    return; // They are not part of the repository.
  }
  assert.equal(files.length, 3);
  for (const file of files) await runSafely(cases, "inspect", join("kan", file));
  await runSafely(cases, "compress", "config/ansi", "--out", "/dev/null/none");
});

Deno.test("nothing writes past the terminal", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const folders = ["cli", "data", "eval", "hierarchy", "demo"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name)))
  );
  const past = [...files, "cli.ts"].filter((file) =>
    file.endsWith(".ts") &&
    !/_test\.ts$|testdata|dist|build_kernels|cli.terminal.terminal\.ts$/.test(file) &&
    /^(?! *\*| *\/\/)[^`]*(console\.\w+\(|std(out|err)\.write)/m.test(
      readFileSync(join(root, file), "utf8"),
    )
  );
  assert.deepEqual(past, []);
});
