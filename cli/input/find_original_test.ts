import assert from "node:assert";
import { join } from "node:path";
import { openModel, weightsDigest } from "../../data/mod.ts";
import { findOriginal } from "./find_original.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { writeTinyModel } from "../testdata/tiny_model.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";
import { inWorkingFolder } from "../testdata/working_folder.ts";
import { runCommandLine } from "../testdata/command_line.ts";

const COMMON = ["--backend", "cpu", "--json"];

/** Runs a command in a folder, with a cache of kanpress of its own, and gives its JSON. */
async function run(folder: string, cwd: string, ...args: string[]) {
  const env = { KANPRESS_CACHE: join(folder, "cache") };
  const { code, out, error } = await runCommandLine([...args, ...COMMON], {
    cwd: join(folder, cwd),
    env,
  });
  if (code !== 0) throw new Error(error.trim().split("\n").at(-1));
  return { fields: JSON.parse(out), lines: error };
}

/** The same shapes, other weights. */
const OTHER = {
  alter: (name: string, values: Float32Array) => {
    if (name.endsWith("wte.weight")) values.reverse();
  },
};

Deno.test("a model of the same shapes does not pass for the original", () =>
  withWorkFolder(async (folder) => {
    const text = join(folder, "text.txt");
    const compress = ["compress", "model", "--data-free", "--bits", "4", "--text", text];
    const { fields: { klDivergence } } = await run(
      folder,
      ".",
      ...compress,
      ...["--out", "out", "--no-cache"],
    );
    const evaluate = (cwd: string, ...more: string[]) =>
      run(folder, cwd, "evaluate", "out", "--text", text, ...more);
    const right = await evaluate(".");
    assert.equal(right.fields.klDivergence.mean, klDivergence.mean);
    assert.deepEqual(right.fields.comparedWith, { name: "model", checked: true });

    const elsewhere = join(folder, "elsewhere");
    await Deno.mkdir(elsewhere);
    await writeTinyModel(join(elsewhere, "model"), OTHER);
    await Deno.rename(join(folder, "model"), join(folder, "original"));
    await Deno.rename(join(folder, "out"), join(elsewhere, "out"));
    for (const more of [[], ["--low-memory"]]) {
      const { fields, lines } = await evaluate("elsewhere", ...more);
      assert.equal(fields.klDivergence, undefined);
      assert.equal(fields.comparedWith, undefined);
      assert.match(lines, /^model: has other weights than those that were compressed;/m);
      await assert.rejects(
        evaluate("elsewhere", ...more, "--original", "model"),
        /model: has other weights .* name the model that out.* was made from \(model\)/,
      );
      const named = await evaluate("elsewhere", ...more, "--original", "../original");
      assert.ok(Math.abs(named.fields.klDivergence.mean / klDivergence.mean - 1) < 1e-4);
      assert.deepEqual(named.fields.comparedWith, { name: "../original", checked: true });
    }
    const spoken = await runCommandLine(
      ["evaluate", "out", "--text", text, "--original", "../original", "--backend", "cpu"],
      { cwd: elsewhere },
    );
    assert.match(spoken.out, /^the original is \.\.\/original, by its weights$/m);
  }));

Deno.test("a local original is found again from another folder, unless nothing is to be kept", () =>
  withWorkFolder(async (folder) => {
    const text = join(folder, "text.txt");
    const compress = ["compress", "model", "--data-free", "--bits", "4", "--text", text];
    await Deno.mkdir(join(folder, "away"));
    for (const more of [["--no-cache"], []]) {
      await Deno.mkdir(join(folder, "far"));
      await run(folder, ".", ...compress, "--out", "far/out", ...more);
      await Deno.rename(join(folder, "far"), join(folder, "away", "far"));
      const { fields } = await run(folder, "away", "evaluate", "far/out", "--text", text);
      const found = { name: join(folder, "model"), checked: true };
      assert.deepEqual(fields.comparedWith, more.length === 0 ? found : undefined);
      await Deno.remove(join(folder, "away", "far"), { recursive: true });
    }
  }));

/** Weights that no other test's model has: where those are may be known. */
const ALONE = { alter: (_: string, values: Float32Array) => void values.reverse() };

Deno.test("a folder that is named like the embedded model is not taken for it", () =>
  withWorkFolder(async (folder) => {
    await inWorkingFolder(folder, async () => {
      await Deno.rename("model", "prose-4m");
      const run = recordedRun();
      const find = async (source: string, sourceSha256: string | undefined, named: string) => {
        const { tensors } = (await openModel(named === "" ? undefined : named)).weights;
        const digest = sourceSha256 === undefined ? {} : { sourceSha256 };
        const container = { tensors, aliases: new Map(), source, ...digest };
        const original = await findOriginal(
          { name: "f", container },
          undefined,
          run,
        );
        return original && { path: original.model.path, checked: original.checked };
      };
      const embedded = await openModel(), folderNamed = await openModel("./prose-4m");
      const [first, second] = [
        await weightsDigest(embedded.weights),
        await weightsDigest(folderNamed.weights),
      ];
      const path = embedded.path;
      assert.deepEqual(await find("prose-4m", first, ""), { path, checked: true });
      assert.deepEqual(await find("prose-4m", undefined, ""), { path, checked: false });
      const own = { path: "prose-4m", checked: true };
      assert.deepEqual(await find("prose-4m", second, "./prose-4m"), own);
      // A file names a folder, and not where to look for it.
      assert.deepEqual(await find("/elsewhere/prose-4m", second, "./prose-4m"), own);
      for (const source of ["..", "prose-4m/..", "prose-4m/", ""]) {
        assert.equal(await find(source, second, "./prose-4m"), undefined);
      }
      // An early version's has no digest; it is said that nothing more is known.
      const early = { path: "prose-4m", checked: false };
      assert.deepEqual(await find("./prose-4m", undefined, "./prose-4m"), early);
      assert.equal(await find("./gone", undefined, "./prose-4m"), undefined);
    });
  }, ALONE));
