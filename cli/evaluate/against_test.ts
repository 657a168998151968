import assert from "node:assert";
import { join } from "node:path";
import { evaluate } from "./evaluate.ts";
import { readEarlierRun } from "./against.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1, seed: 1 };

async function evaluateIn(folder: string, more: Partial<EvaluateOptions>): Promise<string> {
  const run = recordedRun();
  const text = [join(folder, "text.txt")];
  const options = { ...sampling, text, threads: 1, backend: "cpu", ...more } as const;
  await evaluate(join(folder, "model"), options, run);
  return run.printed.join();
}

Deno.test("evaluate compares with an earlier run", () =>
  withWorkFolder(async (folder) => {
    const file = join(folder, "base.json");
    const settings = { protocol: "huggingface", context: 16, stride: 8 } as const;
    await Deno.writeTextFile(file, await evaluateIn(folder, { ...settings, json: true }));
    const same = JSON.parse(await evaluateIn(folder, { ...settings, json: true, against: file }));
    assert.deepEqual(same.protocol, "huggingface");
    assert.equal(same.stride, 8);
    const { value, standardError } = same.against.perplexityRatio;
    assert.ok(Math.abs(value - 1) < 1e-8 && standardError < 1e-8);
    assert.match(await evaluateIn(folder, { ...settings, against: file }), /against .*\n.* 1\.000/);
    await assert.rejects(
      evaluateIn(folder, { ...settings, stride: 4, against: file }),
      /base.json: the runs predicted different tokens; use the same text/,
    );
  }));

Deno.test("other files are not earlier runs", () =>
  withWorkFolder(async (folder) => {
    const file = join(folder, "run.json");
    for (
      const json of [
        {},
        { model: "m", fingerprint: "f", chunkMeans: { tokens: [], original: [] } },
        { model: "m", fingerprint: "f", chunkMeans: { tokens: [1], original: [1, 2] } },
        { model: "m", fingerprint: "f", chunkMeans: { tokens: [1], original: ["1"] } },
      ]
    ) {
      await Deno.writeTextFile(file, JSON.stringify(json));
      await assert.rejects(readEarlierRun(file), /run.json: is not the output of evaluate --json/);
    }
  }));

Deno.test("an infinite perplexity says what it means, and nothing is compared with it", () =>
  withWorkFolder(async (folder) => {
    const file = join(folder, "base.json");
    const json = await evaluateIn(folder, { json: true });
    const fields = JSON.parse(json);
    assert.equal(fields.perplexity, null);
    assert.match(
      fields.notes.join(),
      /perplexity is infinite: its mean loss of \S+ nats per token/,
    );
    assert.match(await evaluateIn(folder, {}), /\nThe model's perplexity is infinite/);
    await Deno.writeTextFile(file, json.replace(/"original":\[[^,]*/, '"original":[null'));
    await assert.rejects(readEarlierRun(file), /base.json: its run has losses that are not finite/);
  }, {
    alter: (name, values) => {
      if (name.endsWith("ln_f.weight")) values.forEach((value, i) => values[i] = 1e5 * value);
    },
  }));
