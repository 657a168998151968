import assert from "node:assert";
import { join } from "node:path";
import { decompressWeights } from "../hierarchy/mod.ts";
import { compress } from "./compress.ts";
import type { CompressOptions } from "./program.ts";
import { recordedSession } from "./testdata/recorded_session.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

function optionsIn(folder: string, more: Partial<CompressOptions> = {}): CompressOptions {
  return {
    text: join(folder, "text.txt"),
    out: join(folder, "out"),
    seed: 0,
    threads: 1,
    backend: "cpu",
    ...more,
  };
}

Deno.test("compress writes a folder that stands by itself and reports on it", () =>
  withWorkFolder(async (folder) => {
    const session = recordedSession();
    const model = join(folder, "model");
    await compress(model, optionsIn(folder, { bits: 8, json: true }), session);
    const out = join(folder, "out", "model.kan.safetensors");
    assert.deepEqual(fileNames(join(folder, "out")), [
      "config.json",
      "model.kan.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const bytes = await Deno.readFile(out);
    const fields = JSON.parse(session.printed.join());
    assert.deepEqual(Object.keys(fields), [
      "model",
      "parameters",
      "originalBytes",
      "compressedBytes",
      "bitsPerWeight",
      "perplexity",
      "klDivergence",
      "sameTop1",
      "seconds",
      "out",
      "command",
    ]);
    assert.equal(fields.parameters, 7936);
    assert.equal(fields.originalBytes, (await Deno.stat(join(model, "model.safetensors"))).size);
    assert.equal(fields.compressedBytes, bytes.length);
    assert.equal(fields.bitsPerWeight, 8 * bytes.length / 7936);
    assert.ok(fields.klDivergence.mean >= 0 && fields.klDivergence.mean < 0.1);
    assert.equal(fields.out, out);
    assert.equal((await decompressWeights(bytes)).size, 16);
  }));

Deno.test("a file alone is written where --out names one, and replaced with a word", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "small.kan.safetensors");
    const options = optionsIn(folder, { bits: 8, out });
    await compress(join(folder, "model"), options, recordedSession());
    const first = await Deno.readFile(out);
    assert.deepEqual(fileNames(folder), ["model", "small.kan.safetensors", "text.txt"]);
    const session = recordedSession();
    await compress(join(folder, "model"), options, session);
    assert.ok(session.lines.includes(`replacing ${out}`));
    assert.deepEqual(await Deno.readFile(out), first, "not the same bytes");
    assert.match(session.printed.join(), /bits per weight/);
  }));

Deno.test("options that contradict each other are usage errors", async () => {
  const usage = { name: "UsageError" };
  const session = recordedSession();
  const run = (more: Partial<CompressOptions>) => compress("m", optionsIn(".", more), session);
  await assert.rejects(run({ preset: "rate", levels: 2 }), usage);
  await assert.rejects(run({ preset: "rate", hiddenDims: [8] }), usage);
  await assert.rejects(run({ levels: 2, hiddenDims: [8] }), usage);
});
