import assert from "node:assert";
import { join } from "node:path";
import { openFile, openModel } from "../data/mod.ts";
import { ggufArchitectures } from "../data/gguf/architectures.ts";
import { dequantize } from "../data/gguf/dequantize.ts";
import { readGgufHeader } from "../data/gguf/header.ts";
import { readMetadata } from "../data/gguf/metadata_value.ts";
import { huggingFaceName } from "../data/gguf/tensor_names.ts";
import { toHuggingFaceValues } from "../data/gguf/value_change.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { decompress } from "./decompress.ts";
import { recordedRun } from "./testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

const gpt2 = ggufArchitectures.find(({ modelType }) => modelType === "gpt2")!;

/** Compresses the folder's model to a file beside its tokenizer, card and chat template. */
async function compressIn(folder: string): Promise<string> {
  const model = await openModel(join(folder, "model"));
  const { bytes } = await new HierarchicalCompressor({ bits: 8 })
    .compress(await readStateDict(model), { config: model.config, source: "hf://owner/tiny" });
  const small = join(folder, "small");
  await Deno.mkdir(small);
  await Deno.writeFile(join(small, "model.kan.safetensors"), bytes);
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(folder, "model", name), join(small, name));
  }
  await Deno.writeTextFile(join(small, "chat_template.jinja"), "{{ messages }}");
  await Deno.writeTextFile(join(small, "README.md"), "---\nlicense: mit\nlanguage: en\n---\n# A\n");
  return small;
}

for (const type of ["f32", "f16", "bf16", "q8_0"] as const) {
  Deno.test(`a GGUF file in ${type} has the weights, tokenizer, template and licence`, () =>
    withWorkFolder(async (folder) => {
      const small = await compressIn(folder);
      const out = join(folder, "out.gguf");
      const run = recordedRun();
      await decompress(small, { out, dtype: "f32", gguf: type, json: true }, run);
      const file = await openFile(out);
      const { metadata, tensors } = await readGgufHeader(file);
      const { tensors: told, bytes } = JSON.parse(run.printed.join());
      assert.deepEqual([told, bytes], [tensors.length, file.byteLength]);
      const read = readMetadata("out.gguf", metadata);
      assert.equal(read.text("general.license"), "mit");
      assert.deepEqual(read.texts("general.languages"), ["en"]);
      assert.equal(read.text("general.base_model.0.repo_url"), "https://huggingface.co/owner/tiny");
      assert.equal(read.text("tokenizer.chat_template"), "{{ messages }}");
      assert.equal(read.text("tokenizer.ggml.pre"), "gpt-2");
      assert.equal(read.texts("tokenizer.ggml.tokens")!.length, 257);
      const weights = await decompressWeights(
        await Deno.readFile(join(small, "model.kan.safetensors")),
      );
      assert.equal(tensors.length, weights.size);
      for (const { name, type: stored, shape, start, end } of tensors) {
        const { name: original, change } = huggingFaceName(gpt2, name)!;
        const values = { shape, data: dequantize(stored, await file.read(start, end)) };
        const counts = { heads: 2, keyValueHeads: 2 };
        const { data, shape: back } = toHuggingFaceValues(values, change, counts);
        const expected = weights.get(original)!;
        assert.deepEqual(back, expected.shape);
        const share = { F32: 0, F16: 2 ** -11, BF16: 2 ** -8, Q8_0: 2 ** -8 }[stored.name]!;
        const largest = Math.max(...expected.data.map(Math.abs));
        data.forEach((value, i) => {
          const exact = expected.data[i]!;
          const most = share * Math.abs(stored.name === "Q8_0" ? largest : exact) + 1e-7 * share;
          assert.ok(Math.abs(value - exact) <= most);
        });
      }
      // Rows of 16 values are no blocks of 32.
      const note = run.lines.find((line) => line.includes("are no whole blocks of Q8_0"));
      assert.equal(note !== undefined, type === "q8_0");
    }));
}

Deno.test("a folder has the GGUF file beside the safetensors, and is replaced as a whole", () =>
  withWorkFolder(async (folder) => {
    const small = await compressIn(folder);
    const out = join(folder, "out");
    for (let times = 1; times <= 2; times++) {
      await decompress(small, { out, dtype: "f32", gguf: "f16" }, recordedRun());
    }
    assert.deepEqual(fileNames(out), [
      "README.md",
      "chat_template.jinja",
      "config.json",
      "model.gguf",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    assert.match(await Deno.readTextFile(join(out, "README.md")), /llama-cli -m model\.gguf/);
  }));

Deno.test("a GGUF file of our own is replaced, another one is not", () =>
  withWorkFolder(async (folder) => {
    const small = await compressIn(folder);
    const out = join(folder, "out.gguf");
    await decompress(small, { out, dtype: "f32", gguf: "f16" }, recordedRun());
    const run = recordedRun();
    await decompress(small, { out, dtype: "f32", gguf: "bf16" }, run);
    assert.ok(run.lines.includes(`replacing ${out}`));
    const bytes = await Deno.readFile(out);
    const at = new TextDecoder("latin1").decode(bytes).indexOf("kanpress");
    bytes.set(new TextEncoder().encode("somebody"), at);
    await Deno.writeFile(out, bytes);
    const again = decompress(small, { out, dtype: "f32", gguf: "f16" }, recordedRun());
    await assert.rejects(again, /out\.gguf: exists and was not written by kanpress/);
    assert.deepEqual(await Deno.readFile(out), bytes);
  }));

Deno.test("what has no place in a GGUF file is said, and nothing is written", () =>
  withWorkFolder(async (folder) => {
    const small = await compressIn(folder);
    const out = join(folder, "out.gguf");
    const plain = { out, dtype: "f32" } as const;
    const refuses = (options: Partial<Parameters<typeof decompress>[1]>, message: RegExp) =>
      assert.rejects(decompress(small, { ...plain, ...options }, recordedRun()), { message });
    await refuses({}, /say the type of its matrices with --gguf/);
    await refuses({ gguf: "f16", onnx: ["f32"] }, /--onnx has no effect here/);
    await refuses({ gguf: "f16", dtype: "bf16" }, /--dtype bf16 has no effect here/);
    await Deno.remove(join(small, "tokenizer.json"));
    await refuses({ gguf: "f16" }, /llama\.cpp needs a model's tokenizer.*--original/);
    assert.ok(!fileNames(folder).includes("out.gguf"));
  }));

Deno.test("a weight too large for its type is refused by name", () =>
  withWorkFolder(async (folder) => {
    const small = await compressIn(folder);
    const out = join(folder, "out.gguf");
    for (const gguf of ["f16", "q8_0"] as const) {
      await assert.rejects(
        decompress(small, { out, dtype: "f32", gguf }, recordedRun()),
        /tensor "transformer\.wte\.weight": its values are too large for f16; .*--gguf bf16 or f32/,
      );
    }
    assert.ok(!fileNames(folder).includes("out.gguf"));
    await decompress(small, { out, dtype: "f32", gguf: "bf16" }, recordedRun());
  }, {
    alter: (name, values) => {
      if (name === "transformer.wte.weight") values[0] = 1e6;
    },
  }));
