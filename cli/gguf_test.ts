import assert from "node:assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommandLine } from "./testdata/command_line.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

const tiny = fileURLToPath(new URL("../data/gguf/testdata/tiny_llama.gguf", import.meta.url));

/** Runs with a folder that has `tiny.gguf` and a text. */
function withGguf(work: (folder: string, run: Start) => Promise<void>): Promise<void> {
  return withWorkFolder(async (folder) => {
    await Deno.copyFile(tiny, join(folder, "tiny.gguf"));
    await work(folder, async (...args) => {
      const { code, out, error } = await runCommandLine(args, { cwd: folder });
      assert.equal(code, 0, error);
      return out;
    });
  });
}

type Start = (...args: string[]) => Promise<string>;

Deno.test("a GGUF model is compressed, found again, and expanded into a folder", () =>
  withGguf(async (folder, run) => {
    const measured = ["--text", "text.txt", "--json"];
    const made = JSON.parse(
      await run("compress", "tiny.gguf", "--data-free", "--bits", "6", ...measured),
    );
    assert.equal(made.model, "tiny.gguf");
    assert.equal(made.originalQuantization, "GGUF Q8_0, Q4_0 and others");
    assert.match(
      made.notes.join(),
      /quantized already \(GGUF Q8_0, Q4_0 and others\): divergences/,
    );
    const out = join(folder, "compressed", "tiny-rate-6bit-data-free");
    assert.equal(made.out, "compressed/tiny-rate-6bit-data-free/model.kan.safetensors");
    assert.deepEqual(fileNames(out), [
      "README.md",
      "chat_template.jinja",
      "config.json",
      "generation_config.json",
      "model.kan.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const card = await Deno.readTextFile(join(out, "README.md"));
    assert.match(card, /^license: mit$/m);
    assert.match(card, /^Measured on .* The original is quantized already \(GGUF /m);
    const evaluated = JSON.parse(await run("evaluate", out, ...measured));
    assert.equal(evaluated.klDivergence.mean, made.klDivergence.mean);
    assert.equal(evaluated.originalQuantization, made.originalQuantization);
    const alone = JSON.parse(await run("evaluate", "tiny.gguf", ...measured));
    assert.equal(alone.perplexity, made.perplexity.original);
    await run("decompress", join(out, "model.kan.safetensors"), "--out", "restored");
    const restored = JSON.parse(await run("evaluate", "restored", ...measured));
    assert.ok(Math.abs(restored.perplexity / made.perplexity.compressed - 1) < 1e-3);
  }));

Deno.test("a GGUF model is compared with the model that it was quantized from", () =>
  withGguf(async (folder, run) => {
    const out = join(folder, "whole");
    await run("compress", "tiny.gguf", "--data-free", "--text", "text.txt", "--out", "small");
    await run("decompress", "small", "--out", "whole", "--dtype", "f32");
    const args = ["evaluate", "tiny.gguf", "--original", "whole", "--text", "text.txt", "--json"];
    const measured = JSON.parse(await run(...args));
    assert.equal(measured.model, "tiny.gguf (GGUF Q8_0, Q4_0 and others)");
    assert.deepEqual(measured.comparedWith, { name: "whole", checked: false, named: true });
    const ofSmall = JSON.parse(
      await run("evaluate", "small", "--original", "tiny.gguf", "--text", "text.txt", "--json"),
    );
    // The other way round, what was the compressed model is the original.
    const { original, compressed } = measured.perplexity;
    assert.ok(Math.abs(original / ofSmall.perplexity.compressed - 1) < 1e-6);
    assert.equal(compressed, ofSmall.perplexity.original);
    assert.ok(measured.klDivergence.mean > 0);
    assert.equal(measured.compressedBytes, 87840);
    const byLayer = JSON.parse(await run(...args, "--low-memory"));
    assert.ok(Math.abs(byLayer.perplexity.compressed / compressed - 1) < 1e-6);
    await Deno.remove(join(out, "model.safetensors"));
    const { code, error } = await runCommandLine(
      ["evaluate", "tiny.gguf", "--original", join(folder, "model"), "--text", "text.txt"],
      { cwd: folder },
    );
    assert.equal(code, 1);
    assert.match(
      error,
      /^error: tiny.gguf: is not of the shape of .*model: their tensors ".*" differ/m,
    );
  }));

Deno.test("a compressed file without a tokenizer takes that of the GGUF file it is named", () =>
  withGguf(async (folder, run) => {
    const file = "small.kan.safetensors";
    await run("compress", "tiny.gguf", "--data-free", "--text", "text.txt", "--out", file);
    await run("decompress", file, "--original", "tiny.gguf", "--out", "restored");
    assert.ok(fileNames(join(folder, "restored")).includes("tokenizer.json"));
  }));

Deno.test("a GGUF model writes a text, and inspect tells its types and metadata", () =>
  withGguf(async (_, run) => {
    assert.ok((await run("sample", "tiny.gguf", "--tokens", "32")).length > 10);
    const told = await run("inspect", "tiny.gguf");
    assert.match(told, /^70,016 parameters in 87.84 kB, 10.04 bits per weight$/m);
    assert.match(told, /^Q4_0 +2 +8,192 +4,608 +4.500 /m);
    assert.match(told, /^general.architecture +llama$/m);
    assert.match(told, /^tokenizer.ggml.tokens +\["<\|endoftext\|>", .*, … 321 in all\]$/m);
    const fields = JSON.parse(await run("inspect", "tiny.gguf", "--json"));
    assert.equal(fields.tensors.length, 20);
    assert.equal(fields.metadata["llama.block_count"], 2);
  }));

Deno.test("where only a compressed model will do, a GGUF model is told to be none", () =>
  withWorkFolder(async (folder) => {
    await Deno.copyFile(tiny, join(folder, "tiny.gguf"));
    for (const args of [["decompress", "tiny.gguf", "--out", "x"], ["demo", "tiny.gguf"]]) {
      const { code, error } = await runCommandLine(args, { cwd: folder });
      assert.equal(code, 1);
      assert.match(error, /^error: tiny.gguf: is a model that is not compressed; compress it, /m);
    }
  }));
