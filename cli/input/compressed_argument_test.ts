import assert from "node:assert";
import { join } from "node:path";
import { findCompressed, readTokenizerIn, requireCompressed } from "./compressed_argument.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("a compressed file is found by its name or its folder", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const file = join(out, "any.kan.safetensors");
    await Deno.mkdir(out);
    await Deno.writeTextFile(file, "x");
    assert.equal((await findCompressed(file))?.source.name, file);
    assert.equal((await findCompressed(out))?.source.name, file);
    assert.equal((await findCompressed(out))?.folder, out);
    await Deno.writeTextFile(join(out, "second.kan.safetensors"), "x");
    await assert.rejects(findCompressed(out), /has 2 .kan.safetensors files; name one/);
    await Deno.writeTextFile(join(out, "model.kan.safetensors"), "x");
    assert.match((await findCompressed(out))?.source.name ?? "", /model\.kan\.safetensors$/);
  }));

Deno.test("an ordinary model is none, also with a compressed file beside it", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    assert.equal(await findCompressed(model), undefined);
    await Deno.writeTextFile(join(model, "model.kan.safetensors"), "x");
    assert.equal(await findCompressed(model), undefined);
    assert.equal(await findCompressed("owner/name"), undefined);
    assert.equal(await findCompressed("https://example.org/model.safetensors"), undefined);
    await assert.rejects(requireCompressed(model), /has no .kan.safetensors file/);
    await assert.rejects(requireCompressed(join(folder, "no")), /does not exist/);
  }));

Deno.test("a tokenizer is read from a folder that has one", () =>
  withWorkFolder(async (folder) => {
    const tokenizer = await readTokenizerIn(join(folder, "model"), { vocab_size: 257 });
    assert.equal(tokenizer?.vocabularySize, 257);
    assert.equal(await readTokenizerIn(folder, {}), undefined);
    assert.equal(await readTokenizerIn(undefined, {}), undefined);
  }));

Deno.test("a tokenizer that cannot be the model's is refused", () =>
  withWorkFolder(async (folder) => {
    await assert.rejects(readTokenizerIn(join(folder, "model"), { vocab_size: 50257 }), {
      name: "InputError",
      message:
        `${join(folder, "model", "tokenizer.json")}: has 257 tokens, but config.json gives ` +
        "the model 50257; they belong to different models: use the tokenizer that came with the " +
        "weights",
    });
  }));
