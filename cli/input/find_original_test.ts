import assert from "node:assert";
import { join } from "node:path";
import { openModel, weightsDigest } from "../../data/mod.ts";
import { compress } from "../compress/compress.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { findOriginal } from "./find_original.ts";
import { Phases } from "../terminal/phases.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { recordedSession } from "../testdata/recorded_session.ts";
import { writeTinyModel } from "../testdata/tiny_model.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

/** Runs `work` with the working folder and the cache of kanpress in `folder`. */
async function within(folder: string, work: () => Promise<void>): Promise<void> {
  const place = Deno.cwd(), cache = Deno.env.get("KANPRESS_CACHE");
  Deno.chdir(folder);
  Deno.env.set("KANPRESS_CACHE", join(folder, "cache"));
  try {
    await work();
  } finally {
    Deno.chdir(place);
    if (cache === undefined) Deno.env.delete("KANPRESS_CACHE");
    else Deno.env.set("KANPRESS_CACHE", cache);
  }
}

const COMMON = { threads: 1, backend: "cpu", seed: 0 } as const;

async function compressTo(out: string, text: string, cache: boolean) {
  const always = { dataFree: true, json: true } as const;
  const options = { ...COMMON, ...always, text, bits: 4, out, cache };
  const session = recordedSession();
  await compress("model", options, session);
  return JSON.parse(session.printed.join());
}

async function evaluated(model: string, text: string, more: Partial<EvaluateOptions> = {}) {
  const session = recordedSession();
  const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1 };
  await evaluate(model, { ...COMMON, ...sampling, text, json: true, ...more }, session);
  return { fields: JSON.parse(session.printed.join()), lines: session.lines.join("\n") };
}

/** The same shapes, other weights. */
const OTHER = {
  alter: (name: string, values: Float32Array) => {
    if (name.endsWith("wte.weight")) values.reverse();
  },
};

Deno.test("a model of the same shapes does not pass for the original", () =>
  withWorkFolder(async (folder) => {
    await within(folder, async () => {
      const text = join(folder, "text.txt");
      const { klDivergence } = await compressTo(join(folder, "out"), text, false);
      const right = await evaluated("out", text);
      assert.equal(right.fields.klDivergence.mean, klDivergence.mean);
      assert.deepEqual(right.fields.comparedWith, { name: "model", checked: true });

      await Deno.mkdir("elsewhere");
      await writeTinyModel(join("elsewhere", "model"), OTHER);
      await Deno.rename("model", "original");
      await Deno.rename("out", join("elsewhere", "out"));
      Deno.chdir("elsewhere");
      for (const lowMemory of [false, true]) {
        const more = lowMemory ? { lowMemory } : {};
        const alone = await evaluated("out", text, more);
        assert.equal(alone.fields.klDivergence, undefined);
        assert.equal(alone.fields.comparedWith, undefined);
        assert.match(alone.lines, /^model: has other weights than those that were compressed;/m);
        await assert.rejects(
          evaluated("out", text, { ...more, original: "model" }),
          /^InputError: model: has other weights .* name the model that out.* was made from \(model\)/,
        );
        const named = await evaluated("out", text, { ...more, original: "../original" });
        assert.ok(Math.abs(named.fields.klDivergence.mean / klDivergence.mean - 1) < 1e-4);
        assert.deepEqual(named.fields.comparedWith, { name: "../original", checked: true });
      }
      const session = recordedSession();
      const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1 };
      const options = { ...COMMON, ...sampling, text, original: "../original" };
      await evaluate("out", options, session);
      assert.match(session.printed.join(), /^the original is \.\.\/original, by its weights$/m);
    });
  }));

Deno.test("a local original is found again from another folder, unless nothing is to be kept", () =>
  withWorkFolder(async (folder) => {
    await within(folder, async () => {
      const text = join(folder, "text.txt");
      await Deno.mkdir("far");
      await Deno.mkdir("away");
      for (const cache of [false, true]) {
        await compressTo(join("far", "out"), text, cache);
        Deno.chdir("away");
        await Deno.rename("../far", "far");
        const { fields } = await evaluated("far/out", text);
        const found = { name: join(folder, "model"), checked: true };
        assert.deepEqual(fields.comparedWith, cache ? found : undefined);
        await Deno.remove("far", { recursive: true });
        Deno.chdir("..");
        await Deno.mkdir("far");
      }
    });
  }));

Deno.test("a folder that is named like the embedded model is not taken for it", () =>
  withWorkFolder(async (folder) => {
    await within(folder, async () => {
      await Deno.rename("model", "prose-4m");
      const session = recordedSession();
      const phases = new Phases(session, session.signal);
      const find = async (source: string, sourceSha256: string | undefined, named: string) => {
        const { tensors } = (await openModel(named === "" ? undefined : named)).weights;
        const digest = sourceSha256 === undefined ? {} : { sourceSha256 };
        const container = { tensors, aliases: new Map(), source, ...digest };
        const original = await findOriginal(
          { name: "f", container },
          undefined,
          phases,
          session.signal,
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
  }));
