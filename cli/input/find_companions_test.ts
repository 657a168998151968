import assert from "node:assert";
import { join } from "node:path";
import { openModel } from "../../data/mod.ts";
import { type FakeModel, hubHandler } from "../../data/testdata/hub.ts";
import { withServer } from "../../data/testdata/server.ts";
import { readStateDict } from "../../eval/mod.ts";
import { HierarchicalCompressor } from "../../hierarchy/mod.ts";
import { decompress } from "../decompress.ts";
import { byteTokenizer } from "../testdata/byte_tokenizer.ts";
import { runCommandLine } from "../testdata/command_line.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { writeTinyModel } from "../testdata/tiny_model.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";

const TOKEN = "hf_verysecret";

/** Compresses the folder's model to `small.kan.safetensors`, with any source. */
async function compressIn(folder: string, source: string): Promise<string> {
  const model = await openModel(join(folder, "model"));
  const { bytes } = await new HierarchicalCompressor({ bits: 8 })
    .compress(await readStateDict(model), { config: model.config, source });
  const file = join(folder, "small.kan.safetensors");
  await Deno.writeFile(file, bytes);
  return file;
}

/** Runs `work` with a hub that has the folder's model as `someone/tiny`. */
async function withHub(
  folder: string,
  work: (hub: { env: Record<string, string>; requests: string[] }) => Promise<void>,
): Promise<void> {
  const names = fileNames(join(folder, "model"));
  const files = Object.fromEntries(
    names.map((name) => [name, Deno.readFileSync(join(folder, "model", name))]),
  );
  const model: FakeModel = { commit: "0123456789abcdef0123456789abcdef01234567", files };
  const requests: string[] = [];
  const handler = hubHandler({ models: { "someone/tiny": model }, requests, token: TOKEN });
  await withServer(handler, async (origin) => {
    const env = { HF_ENDPOINT: origin, HF_TOKEN: TOKEN, HF_HUB_CACHE: join(folder, "cache") };
    await work({ env, requests });
  });
}

Deno.test("a file that names a model of the hub has nothing fetched for it", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder, "hf://someone/tiny");
    await withHub(folder, async ({ env, requests }) => {
      const run = (...args: string[]) => runCommandLine(args, { cwd: folder, env });
      const { code, error } = await run("decompress", file, "--out", "bare");
      assert.equal(code, 0, error);
      assert.match(error, /no tokenizer was found; .* --original: .* this is someone\/tiny$/m);
      assert.deepEqual(fileNames(join(folder, "bare")), [
        "README.md",
        "config.json",
        "model.safetensors",
      ]);
      const evaluated = await run("evaluate", file, "--text", "text.txt");
      assert.match(
        evaluated.error,
        /made from someone\/tiny; add --original someone\/tiny to fetch/,
      );
      assert.equal(evaluated.code, 1);
      assert.deepEqual(requests, []);

      // On the user's word the files beside the weights are fetched, and told of.
      const named = await run("decompress", file, "--original", "someone/tiny", "--out", "full");
      assert.equal(named.code, 0, named.error);
      assert.match(
        named.error,
        /^fetching config\.json, tokenizer\.json, tokenizer_config\.json \(.*\) from http:/m,
      );
      assert.ok(fileNames(join(folder, "full")).includes("tokenizer.json"));
      assert.ok(requests.length > 0);
      assert.ok(!requests.some((request) => /model\.safetensors|storage/.test(request)));

      const compared = ["evaluate", file, "--text", "text.txt", "--json"];
      const first = await run(...compared, "--original", "someone/tiny");
      assert.equal(first.code, 0, first.error);
      assert.ok(JSON.parse(first.out).klDivergence.mean < 0.01);
      // What the cache has may be read.
      requests.length = 0;
      const again = await run(...compared);
      assert.equal(JSON.parse(again.out).comparedWith.name, "someone/tiny");
      assert.deepEqual(requests, []);
    });
  }));

Deno.test("a file that names a folder has nothing copied from there", () =>
  withWorkFolder(async (folder) => {
    for (
      const source of [join(folder, "model"), "model", "hf://../model", `hf://${folder}/model`]
    ) {
      const file = await compressIn(folder, source);
      const out = join(folder, "out");
      const run = recordedRun();
      await decompress(file, { out, dtype: "f32" }, run);
      assert.deepEqual(fileNames(out), ["README.md", "config.json", "model.safetensors"]);
      assert.match(run.lines.join("\n"), /no tokenizer was found; name the model/);
      await Deno.remove(out, { recursive: true });
    }
  }));

Deno.test("the tokenizer of another model is refused, beside the file or named", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder, "tiny");
    const other = join(folder, "other"), out = join(folder, "out");
    await writeTinyModel(other);
    await Deno.writeTextFile(join(other, "tokenizer.json"), JSON.stringify(byteTokenizer(1000)));
    const expected = /tokenizer\.json: has 1000 tokens, but config\.json gives the model 257/;
    const options = { out, dtype: "f32" } as const;
    const named = decompress(file, { ...options, original: other }, recordedRun());
    await assert.rejects(named, expected);
    await Deno.copyFile(join(other, "tokenizer.json"), join(folder, "tokenizer.json"));
    await assert.rejects(decompress(file, options, recordedRun()), expected);
    assert.ok(!fileNames(folder).includes("out"));
  }));

Deno.test("a stale quantization_config does not stand beside weights that are not quantized", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder, "tiny");
    const out = join(folder, "out");
    await decompress(file, { out, dtype: "bf16" }, recordedRun());
    const config = JSON.parse(await Deno.readTextFile(join(out, "config.json")));
    assert.equal(config.quantization_config, undefined);
    assert.equal(config.model_type, "gpt2");
  }, { config: { quantization_config: { quant_method: "gptq", bits: 4 } } }));
