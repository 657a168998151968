import { isNativeInstalled } from "../eval/native/runtime.ts";
import assert from "node:assert";
import { type Command, CommanderError } from "commander";
import type { Start } from "./options/command.ts";
import { createProgram } from "./program.ts";
import type { CompressOptions } from "./options/compress_options.ts";

/** Parses a command line; gives the command that would run, and what was written. */
const parse = (...args: string[]) => parseAs("deno task", ...args);

/** As `parse`, of a program that is called `name`. */
async function parseAs(name: string, ...args: string[]) {
  const calls: unknown[][] = [];
  const written = { out: "", error: "" };
  const start: Start = () => (...given) => {
    calls.push([(given.at(-1) as Command).name(), ...given.slice(0, -1)]);
    return Promise.resolve();
  };
  const program = createProgram(name, start, {
    out: (text) => written.out += text,
    error: (text) => written.error += text,
  });
  let failure: unknown;
  await program.parseAsync(args, { from: "user" }).catch((error) => failure = error);
  return { calls, failure, ...written };
}

Deno.test("compress without arguments has defaults for everything", async () => {
  const { calls } = await parse("compress");
  assert.deepEqual(calls, [["compress", undefined, {
    cache: true,
    evaluate: true,
    seed: 0,
    threads: navigator.hardwareConcurrency,
    backend: isNativeInstalled() ? "native" : "wasm",
  }]]);
});

Deno.test("options are parsed to typed values", async () => {
  const { calls } = await parse(
    ..."compress m --preset seed --bits 2.5 --levels 2 --hidden-dims 8,4 --text t --json".split(
      " ",
    ),
    ..."--tokens 99 --out o --seed 7 --threads 1 --backend cpu --lossless-small".split(" "),
  );
  assert.deepEqual(calls, [["compress", "m", {
    preset: "seed",
    bits: 2.5,
    levels: 2,
    hiddenDims: [8, 4],
    text: ["t"],
    json: true,
    tokens: 99,
    out: "o",
    seed: 7,
    threads: 1,
    backend: "cpu",
    losslessSmall: true,
    cache: true,
    evaluate: true,
  }]]);
});

Deno.test("what the coder does and keeps is parsed, for compress and sweep", async () => {
  for (const command of ["compress", "sweep"]) {
    const { calls: [call] } = await parse(command, "--states", "64", "--uniform", "--no-cache");
    const { states, uniform, cache } = call![2] as CompressOptions;
    assert.deepEqual([states, uniform, cache], [64, true, false]);
    const { calls: [other] } = await parse(command, "--effort", "best");
    assert.equal((other![2] as CompressOptions).effort, "best");
    assert.ok((await parse(command, "--states", "9")).failure !== undefined);
    assert.ok((await parse(command, "--effort", "most")).failure !== undefined);
  }
  const { calls: [call] } = await parse("compress", "--max-kl", "0.02");
  assert.equal((call![2] as CompressOptions).maxKl, 0.02);
});

Deno.test("the other commands are parsed", async () => {
  const evaluate = await parse("evaluate", "m", "--prompt", "Once", "--temperature", "0");
  assert.equal(evaluate.calls[0]?.[0], "evaluate");
  const decompress = await parse("decompress", "f", "--out", "d");
  assert.deepEqual(decompress.calls, [["decompress", "f", { out: "d", dtype: "f32" }]]);
  const inspect = await parse("inspect", "f", "--json");
  assert.deepEqual(inspect.calls, [["inspect", "f", { json: true }]]);
  const report = await parse("report", "r.json", "--out", "r.html", "--prompt", "Once");
  assert.deepEqual(report.calls, [["report", "r.json", { out: "r.html", prompt: "Once" }]]);
  const demo = await parse("demo", "a", "b", "--port", "0");
  assert.deepEqual(demo.calls, [["demo", ["a", "b"], { port: 0 }]]);
});

Deno.test("misuse says what is allowed and runs nothing", async () => {
  const misuses: [string, RegExp][] = [
    ["compress --bits abc", /'--bits <n>'.*'abc'.*number from 0.1 to 32/],
    ["compress --bits 0", /number from 0.1 to 32/],
    ["compress --preset best", /Allowed choices are rate, seed, hybrid/],
    ["compress --threads 0", /whole number from 1 to 256/],
    ["compress --levels 1.5", /whole number from 1 to 8/],
    ["compress --hidden-dims 512;256", /such as 512,256,128/],
    ["compress --backend cuda", /Allowed choices are native, wasm, webgpu, cpu/],
    ["compress --tokens 1", /whole number from 2/],
    ["compress --seed -1", /whole number from 0/],
    ["compress a b", /too many arguments/],
    ["compress --bitz 4", /unknown option '--bitz'.*\n.*--bits/],
    ["evaluate --top-p 0", /number from 0.0001 to 1/],
    ["decompress f", /required option '--out <path>'/],
    ["decompress f --out d --dtype f8", /Allowed choices are f32, f16, bf16/],
    ["inspect f --plot a.pdf", /must end in .png, .svg, .html or .json/],
    ["sweep --plot missing-folder/a.png", /no folder missing-folder; create it first/],
    ["inspect", /missing required argument 'file'/],
    ["shrink", /unknown command 'shrink'/],
  ];
  for (const [line, expected] of misuses) {
    const { calls, failure, error } = await parse(...line.split(" "));
    assert.ok(failure instanceof CommanderError, line);
    assert.notEqual(failure.exitCode, 0, line);
    assert.match(error, expected, line);
    assert.deepEqual(calls, [], line);
  }
});

Deno.test("every command's help has examples that parse", async () => {
  for (
    const name of ["compress", "evaluate", "inspect", "decompress", "demo", "report", "sample"]
  ) {
    const { out, failure } = await parse(name, "--help");
    assert.ok(failure instanceof CommanderError && failure.exitCode === 0);
    const examples = out.split("Examples:\n")[1]?.trim().split("\n") ?? [];
    assert.ok(examples.length >= 1);
    for (const example of examples) {
      const args = example.trim().replace(/^deno task /, "").match(/"[^"]*"|\S+/g) ?? [];
      const { calls } = await parse(...args.map((arg) => arg.replaceAll('"', "")));
      assert.equal(calls.length, 1, example);
    }
  }
});

Deno.test("help calls the program as its user does", async () => {
  const { out: all } = await parseAs("npx kanpress", "--help");
  const names = [...all.matchAll(/^ {2}([a-z-]+) .*\[options\]/gm)].map(([, name]) => name!);
  assert.ok(names.length >= 9, all);
  for (const name of names) {
    const { out } = await parseAs("npx kanpress", name, "--help");
    assert.ok(out.startsWith(`Usage: npx kanpress ${name} `), out);
    assert.doesNotMatch(all + out, /deno task/);
  }
});

Deno.test("help fits a terminal of 80 columns", async () => {
  const { out } = await parse("--help");
  const names = [...out.matchAll(/^ {2}([a-z-]+) .*\[options\]/gm)].map(([, name]) => name!);
  assert.ok(names.length >= 9, out);
  for (const name of names) {
    const { out: help } = await parse(name, "--help");
    const wide = help.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(wide, [], name);
  }
});
