import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(`${ROOT}/${path}`, "utf8");
const scripts = globSync("bench/**/*.ts", { cwd: ROOT }).filter((path) =>
  !path.endsWith("_test.ts")
);
const benches = scripts.filter((path) => path.split("/").length === 2);
const HELPER = "bench/support/command_line.ts";
/** Their arguments go to `compress`, which reads them. */
const PASSES_ON = ["bench/compress.ts", "bench/gpt2_sized.ts"];

for (const path of benches) {
  Deno.test(`${path} reads its arguments, and ends for what it lacks, as all do`, () => {
    const text = read(path);
    const reads = /\b(readOptions|readCommandLine|runProgram)\(/.test(text);
    assert.ok(reads || PASSES_ON.includes(path), "it takes any argument");
    assert.ok(!/\bparseArgs\b/.test(text), "use readOptions or readCommandLine");
  });
}

Deno.test("benches read texts by one helper, which names what is missing", () => {
  for (const path of scripts) {
    const raw = read(path).matchAll(/Deno\.readTextFile(?:Sync)?\(([^)]*)/g);
    const others = Array.from(raw, ([, what]) => what!).filter((what) =>
      !/^[`"]\/proc\//.test(what)
    );
    // Results of earlier runs, and the head of the bench's own file.
    const known = [HELPER, "bench/support/real_models/results_file.ts"];
    assert.ok(others.length === 0 || known.includes(path), `${path}: ${others}`);
  }
});

Deno.test("no bench and no page needs files that only some people have", () => {
  for (
    const path of [...scripts, ...globSync(["*.md", "{docs,kan,demo}/**/*.md"], { cwd: ROOT })]
  ) {
    assert.ok(!/\.\.\/shared\b/.test(read(path)), path);
  }
});

/** The commands of a text that run a bench: the bench and what follows it. */
function benchCommands(text: string): { bench: string; words: string[] }[] {
  const joined = text.replaceAll(/\\\n(?: \*)? */g, " ");
  return Array.from(
    joined.matchAll(/deno run (?:-[^\s]+ )*(bench\/\w+\.ts)([^\n`)#&]*(?:#\d+-\d+[^\n`)#&]*)*)/g),
    ([, bench, rest]) => ({
      bench: bench!,
      words: Array.from(rest!.matchAll(/"[^"]*"|\S+/g), ([word]) => word)
        .filter((word) => word !== "-->"),
    }),
  );
}

const documented = [
  ...benches,
  ...globSync(["*.md", "{docs,kan}/**/*.md"], { cwd: ROOT }),
].flatMap((path) => benchCommands(read(path)).map((command) => ({ path, ...command })));

Deno.test("documented commands run benches that are there, with options that they have", () => {
  assert.ok(documented.length > 60, `${documented.length}`);
  for (const { path, bench, words } of documented) {
    assert.ok(benches.includes(bench), `${path}: ${bench}`);
    if (PASSES_ON.includes(bench)) continue;
    // The options of these benches stand in the helpers, too.
    const known = read(bench) + read("bench/support/theory/calibrated_model.ts") +
      read("cli/options/shared_options.ts");
    for (const word of words.filter((word) => word.startsWith("--"))) {
      const name = word.slice(2).split("=")[0]!;
      assert.match(known, new RegExp(`"?${name}"?: \\{|--${name}\\b`), `${path}: ${bench} ${word}`);
    }
  }
});

Deno.test("texts that documented commands read are in the repository or fetched by one of them", () => {
  const fetched = [...read("bench/fetch_texts.ts").matchAll(/^ {2}"([^"]+\.txt)":/gm)]
    .map(([, name]) => `texts/${name}`);
  for (const { path, bench, words } of documented) {
    for (const word of words) {
      const [, file] = /^"?(?:[\w-]+=)([\w/.-]+\.txt)/.exec(word) ?? [];
      // A file of the reader's own.
      if (file === undefined || /^(\w+|my-\w+|\w+-tokens)\.txt$/.test(file)) continue;
      const isThere = fetched.includes(file) || globSync(file, { cwd: ROOT }).length > 0;
      assert.ok(isThere, `${path}: ${bench} reads ${file}, which nobody else has`);
    }
  }
});

const bench = async (name: string, ...args: string[]) => {
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--allow-all", `bench/${name}.ts`, ...args],
    cwd: ROOT,
  }).output();
  const [error, output] = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, error: error!, output: output! };
};

for (
  const [name, args, reason] of [
    ["kernels", ["--quick"], /Unknown option '--quick'; see --help/],
    ["kernels", ["quick"], /^quick: the bench takes options only/],
    ["encode", ["--states", "many"], /^--states many: give numbers/],
    ["kan_training", ["--seeds", "x"], /^--seeds x: give a number, as in 5$/],
    ["kan_step", ["--python", "/no/python"], /^--python \/no\/python: cannot be run/],
    ["calibration", ["--text", "a=/no/text.txt"], /^\/no\/text\.txt: does not exist/],
    ["rate_term", ["--text", "/no/text.txt"], /^\/no\/text\.txt: does not exist/],
    ["download", ["/no/model"], /^\/no\/model: does not exist/],
  ] as const
) {
  Deno.test(`bench/${name}.ts ${args.join(" ")} ends with a line and status 2`, async () => {
    const { code, error } = await bench(name, ...args);
    assert.equal(code, 2, error);
    assert.equal(error.split("\n").length, 1, error);
    assert.match(error, reason);
  });
}

Deno.test("--help prints what a bench asks, and its options", async () => {
  const { code, output } = await bench("predicted_loss", "--help");
  assert.equal(code, 0);
  assert.match(output, /^Does the loss grow/);
  assert.match(output, /^ {2}--chunks VALUE \(default 60\)$/m);
});
