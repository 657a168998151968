import assert from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openModel } from "../data/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { prepareCompressedOutput } from "./compress/compressed_output.ts";
import { compressedCard } from "./compress/model_card.ts";
import { publishModel } from "./publish_model.ts";
import { recordedRun } from "./testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

/** Compresses the work folder's model into a folder, as `compress` does, without measuring. */
async function compressIn(folder: string): Promise<string> {
  const model = await openModel(join(folder, "model"));
  const { bytes, report } = await new HierarchicalCompressor({ bits: 8 })
    .compress(await readStateDict(model), { config: model.config, source: "hf://some/model" });
  const out = join(folder, "compressed");
  using output = await prepareCompressedOutput(out);
  const origin = { source: "hf://some/model", head: { license: "mit" }, licences: [] };
  const card = compressedCard(origin, { ...report, originalBytes: 1000 });
  await output.write({ bytes }, model, card);
  return out;
}

Deno.test("publish-model makes a folder with card, decoder and checksums that hold", () =>
  withWorkFolder(async (folder) => {
    const compressed = await compressIn(folder);
    const out = join(folder, "published");
    const run = recordedRun();
    await publishModel(compressed, { out, repo: "me/small" }, run);
    assert.deepEqual(fileNames(out), [
      "README.md",
      "SHA256SUMS",
      "config.json",
      "decode_rate.py",
      "model.kan.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    assert.match(run.printed.join(), /upload it with: hf upload me\/small /);
    const card = await Deno.readTextFile(join(out, "README.md"));
    assert.match(card, /^base_model: some\/model$/m);
    assert.match(card, /^license: mit$/m);
    assert.match(card, /has not been measured/);
    assert.match(card, /huggingface\.co\/me\/small\/resolve\/main\/model\.kan\.safetensors/);
    const sums = await Deno.readTextFile(join(out, "SHA256SUMS"));
    for (const line of sums.trimEnd().split("\n")) {
      const [sum, name] = line.split("  ");
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(out, name!)));
      assert.equal(new Uint8Array(digest).toHex(), sum);
      assert(card.includes(sum!), `${name}`);
    }
    // What was published can be published again, and replaced.
    await publishModel(out, { out, json: true }, run);
    assert.equal(JSON.parse(run.printed.at(-1)!).files.length, 7);
    if (spawnSync("python3", ["--version"]).status === 0) {
      const program = "from decode_rate import decode\n" +
        "print(len(decode(open('model.kan.safetensors', 'rb').read())))";
      const { stdout } = spawnSync("python3", ["-c", program], { cwd: out, encoding: "utf8" });
      assert.equal(Number(stdout), (await openModel(join(folder, "model"))).weights.tensors.length);
    }
  }));

Deno.test("a dry run writes nothing, and a damaged model is not published", () =>
  withWorkFolder(async (folder) => {
    const compressed = await compressIn(folder);
    const out = join(folder, "published");
    const run = recordedRun();
    await publishModel(compressed, { out, dryRun: true }, run);
    assert(!existsSync(out));
    assert.match(run.printed.join(), /would be written to .*; nothing was written/);
    const file = join(compressed, "model.kan.safetensors");
    const bytes = await Deno.readFile(file);
    bytes[bytes.length - 20]! ^= 1;
    await Deno.writeFile(file, bytes);
    await assert.rejects(publishModel(compressed, { out }, run), /does not have its SHA-256/);
    assert(!existsSync(out));
  }));
