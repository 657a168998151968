import assert from "node:assert";
import type { Command } from "commander";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { openModel, weightsDigest } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { createProgram } from "../program.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { writeTinyModel } from "../testdata/tiny_model.ts";
import { TEXT, withWorkFolder } from "../testdata/work_folder.ts";
import { compress } from "./compress.ts";
import { chooseTarget } from "./compress_target.ts";
import { defaultOut, refuseOtherModel, settingsLabel } from "./output_name.ts";

const RATE = { preset: "rate", bits: 4 } as const;

Deno.test("settings that change the result are told in few words", async () => {
  const label = settingsLabel;
  assert.equal(await label({ preset: "rate", bits: 8 }, { uniform: true }), "rate-8bit-uniform");
  assert.equal(await label({ preset: "hybrid", maxKl: 0.02 }, {}), "hybrid-kl0.02");
  assert.equal(await label({ preset: "seed" }, {}), "seed");
  assert.equal(await label({ preset: "seed" }, { hiddenDims: [8, 4] }), "seed-8x4");
  assert.equal(await label(RATE, { effort: "normal", seed: 0, tune: 0 }), "rate-4bit");
  const several: [Parameters<typeof label>[1], string][] = [
    [{ dataFree: true }, "data-free"],
    [{ effort: "best", tune: 0 }, "best-0steps"],
    [{ states: 8, tune: 20 }, "8states-20steps"],
    [{ calibrationTokens: 99 }, "99tokens"],
    [{ calibrationLoss: 0.07 }, "loss7"],
    [{ losslessSmall: true }, "lossless-small"],
    [{ seed: 1 }, "seed1"],
    [{ correctDrift: true }, ""],
    [{ correctDrift: false }, "no-drift"],
    [{ effort: "fast", correctDrift: true }, "fast-drift"],
    [{ effort: "fast", correctDrift: false }, "fast"],
    [{ text: ["other.txt"], tokens: 99 }, ""],
  ];
  for (const [options, words] of several) {
    assert.equal(await label(RATE, options), ["rate-4bit", words].join("-").replace(/-$/, ""));
  }
});

Deno.test("texts are told apart by what they hold", async () => {
  using folder = new TemporaryFolder();
  const write = async (name: string, text: string) => {
    await Deno.mkdir(join(folder.path, name.split("/")[0]!), { recursive: true });
    await Deno.writeTextFile(join(folder.path, name), text);
    return join(folder.path, name);
  };
  const [mine, yours, long] = [
    await write("mine/my novels.txt", "one"),
    await write("yours/my novels.txt", "two"),
    await write("mine/" + "x".repeat(200) + ".txt", "three"),
  ];
  const on = async (...calibration: string[]) => await settingsLabel(RATE, { calibration });
  assert.match(await on(mine), /^rate-4bit-on-my-novels-[0-9a-f]{6}$/);
  const names = [await on(mine), await on(yours), await on(mine, yours), await on(yours, mine)];
  assert.equal(new Set(names).size, 4);
  assert.ok((await on(long, mine)).length < 80);
  await Deno.writeTextFile(mine, "changed");
  assert.notEqual(await on(mine), names[0]);
  const by = { text: [mine, yours], tokens: 99, protocol: "llama.cpp", context: 16 } as const;
  assert.match(
    await settingsLabel({ preset: "rate", maxKl: 0.1 }, by),
    /^rate-kl0.1-by-my-novels-[0-9a-f]{6}-by99tokens-llama.cpp-context16$/,
  );
});

/** What an option is tried with. */
interface Trial {
  /** Arguments, for a command line that lacks the option and one that has it, or for the second. */
  readonly beside?: string;
  /** The option and its value. */
  readonly given: string;
  /** Whether it changes what is written. */
  readonly changes: boolean;
}

/** What is quick, at a rate that is enough for every preset. */
const QUICK = "--data-free --no-evaluate --bits 12";
const SMALL_SEED = "--preset seed --no-evaluate --hidden-dims 4";
const CALIBRATED = "--no-evaluate --bits 12";
const SEARCHED = "--data-free --states 1 --max-kl 0.05";

/** Every option of `compress`, with what shows whether it changes the result, or why nothing can. */
const OPTIONS: Readonly<Record<string, Trial | string>> = {
  "--preset": { beside: "--no-evaluate --bits 20", given: "--preset seed", changes: true },
  "--bits": { beside: "--data-free --no-evaluate", given: "--bits 6", changes: true },
  "--size": { beside: "--data-free --no-evaluate", given: "--size 6kB", changes: true },
  "--max-kl": { beside: "--data-free --states 1", given: "--max-kl 0.05", changes: true },
  "--correct-drift": {
    beside: `${CALIBRATED} --effort fast`,
    given: "--correct-drift",
    changes: true,
  },
  "--no-correct-drift": { beside: CALIBRATED, given: "--no-correct-drift", changes: true },
  "--tune": { beside: CALIBRATED, given: "--tune 3", changes: true },
  "--levels": { beside: "--preset seed --no-evaluate", given: "--levels 1", changes: true },
  "--hidden-dims": {
    beside: "--preset seed --no-evaluate",
    given: "--hidden-dims 4",
    changes: true,
  },
  "--lossless-small": { beside: QUICK, given: "--lossless-small", changes: true },
  "--effort": { beside: QUICK, given: "--effort fast", changes: true },
  "--states": { beside: QUICK, given: "--states 4", changes: true },
  "--uniform": { beside: CALIBRATED, given: "--uniform", changes: true },
  "--calibration": { beside: CALIBRATED, given: "--calibration other.txt", changes: true },
  "--calibration-tokens": {
    beside: CALIBRATED,
    given: "--calibration-tokens 64",
    changes: true,
  },
  "--calibration-loss": {
    beside: `${CALIBRATED} --calibration long.txt`,
    given: "--calibration-loss 20%",
    changes: true,
  },
  "--data-free": { beside: CALIBRATED, given: "--data-free", changes: true },
  "--seed": { beside: SMALL_SEED, given: "--seed 5", changes: true },
  "--text": { beside: SEARCHED, given: "--text long.txt", changes: true },
  "--tokens": { beside: SEARCHED, given: "--tokens 64", changes: true },
  "--protocol": { beside: SEARCHED, given: "--protocol gptq", changes: true },
  "--context": { beside: SEARCHED, given: "--context 8", changes: true },
  "--stride": {
    beside: `${SEARCHED} --protocol huggingface --tokens 64`,
    given: "--stride 7",
    changes: true,
  },
  // Where drift would be corrected, memory that is too short is in the name (see drift_test.ts).
  "--memory": {
    beside: `${CALIBRATED} --no-correct-drift`,
    given: "--memory 1kB",
    changes: false,
  },
  "--work": { beside: QUICK, given: "--work work", changes: false },
  "--threads": { beside: QUICK, given: "--threads 2", changes: false },
  "--no-cache": { beside: CALIBRATED, given: "--no-cache", changes: false },
  "--no-evaluate": { beside: "--data-free --bits 12", given: "--no-evaluate", changes: false },
  "--by-part": { beside: "--data-free --bits 12", given: "--by-part", changes: false },
  "--json": { beside: QUICK, given: "--json", changes: false },
  "--progress": { beside: QUICK, given: "--progress none", changes: false },
  "--out": "names the place",
  "--task": "measures what is written already",
  "--data": "is about --task",
  "--limit": "is about --task",
  "--backend": "changes how sums are rounded",
  "--redis": "changes where is coded; cli/worker_test.ts compares the bytes",
  "--store": "is about --redis",
};

/** Options as the command line takes them, and the names of all that it knows. */
async function parsed(line: string): Promise<{ options: CompressOptions; known: string[] }> {
  let options: CompressOptions | undefined, known: string[] = [];
  const program = createProgram("kanpress", () => (...given) => {
    options = given[1] as CompressOptions;
    known = (given.at(-1) as Command).options.map(({ long }) => long!);
    return Promise.resolve();
  }, { out() {}, error() {} });
  await program.parseAsync(["compress", "model", ...line.split(" ").filter(Boolean)], {
    from: "user",
  });
  return { options: options!, known };
}

/** Compresses the tiny model as a command line says; gives the name and the bytes. */
async function made(folder: string, line: string): Promise<{ name: string; bytes: Uint8Array }> {
  const { options: given } = await parsed(line);
  const inFolder = (names: readonly string[]) => names.map((name) => join(folder, name));
  const { text = ["text.txt"], work, dataFree, preset } = given;
  // What is quick, where no text is named.
  const calibration = given.calibration ??
    (dataFree || preset === "seed" ? undefined : ["text.txt"]);
  const model = join(folder, "model");
  const out = join(folder, `${crypto.randomUUID()}.kan.safetensors`);
  const options: CompressOptions = {
    ...{ ...given, out, text: inFolder(text), backend: "wasm" },
    threads: line.includes("--threads") ? given.threads : 1,
    ...(calibration !== undefined && { calibration: inFolder(calibration) }),
    ...(work !== undefined && { work: join(folder, work) }),
  };
  await compress(model, options, recordedRun());
  const name = await defaultOut(model, { name: model }, chooseTarget(options), options);
  return { name, bytes: await Deno.readFile(out) };
}

Deno.test("no option of compress changes what stands under a name", () =>
  withWorkFolder(async (folder) => {
    const { known } = await parsed("");
    assert.deepEqual(Object.keys(OPTIONS).sort(), known.sort());
    await Deno.writeTextFile(join(folder, "other.txt"), TEXT.toUpperCase());
    await Deno.writeTextFile(join(folder, "long.txt"), TEXT.repeat(20).replaceAll("a", "qx"));
    const results = new Map<string, ReturnType<typeof made>>();
    const result = (line: string) => {
      const found = results.get(line) ?? made(folder, line);
      results.set(line, found);
      return found;
    };
    for (const [option, trial] of Object.entries(OPTIONS)) {
      if (typeof trial === "string") continue;
      const { beside = "", given, changes } = trial;
      const without = await result(beside);
      const { name, bytes } = await result(`${beside} ${given}`.trim());
      assert.equal(Buffer.compare(bytes, without.bytes) !== 0, changes, option);
      assert.equal(name !== without.name, changes, `${option}: ${name}`);
    }
  }));

Deno.test("a model of the same name and other weights is not written over", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const options = (await parsed("--data-free --no-evaluate")).options;
    await compress(join(folder, "model"), { ...options, threads: 1, out }, recordedRun());
    const file = join(out, "model.kan.safetensors");
    const digest = async (name: string) => {
      const { weights } = await openModel(join(folder, name));
      return await weightsDigest(weights);
    };
    await refuseOtherModel(file, await digest("model"));
    await refuseOtherModel(join(folder, "none.kan.safetensors"), "x");
    await writeTinyModel(join(folder, "trained"), { alter: (_, values) => values.fill(0.5) });
    await assert.rejects(refuseOtherModel(file, await digest("trained")), {
      name: "InputError",
      message: /out: was made of a model with the same name .* or --out .*out to replace it$/,
    });
  }));
