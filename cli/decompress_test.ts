import assert from "node:assert";
import { join } from "node:path";
import { openModel } from "../data/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { decompress } from "./decompress.ts";
import type { OnnxChoice } from "./restored_onnx.ts";
import { recordedRun } from "./testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "./testdata/work_folder.ts";

const BIAS = "transformer.h.0.mlp.c_proj.bias";

/** Compresses the folder's model to `small.kan.safetensors`, with the model's path as its source. */
async function compressIn(folder: string): Promise<string> {
  const model = await openModel(join(folder, "model"));
  const { bytes } = await new HierarchicalCompressor({ bits: 8 })
    .compress(await readStateDict(model), { config: model.config, source: model.name });
  const file = join(folder, "small.kan.safetensors");
  await Deno.writeFile(file, bytes);
  return file;
}

for (const dtype of ["f32", "f16", "bf16"] as const) {
  Deno.test(`decompress writes a model folder in ${dtype}`, () =>
    withWorkFolder(async (folder) => {
      const file = await compressIn(folder);
      const out = join(folder, "out"), original = join(folder, "model");
      await decompress(file, { out, dtype, original }, recordedRun());
      assert.deepEqual(fileNames(out), [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ]);
      const restored = await openModel(out);
      const names = { f32: "float32", f16: "float16", bf16: "bfloat16" };
      assert.equal(restored.config["dtype"], names[dtype]);
      const weights = await decompressWeights(await Deno.readFile(file));
      for (const [name, { data, shape }] of weights) {
        const stored = await restored.weights.read(name);
        assert.equal(stored.dtype, dtype.toUpperCase());
        assert.deepEqual(stored.shape, shape);
        const tolerance = dtype === "f32" ? 0 : dtype === "f16" ? 2 ** -11 : 2 ** -8;
        stored.data.forEach((value, i) => {
          const exact = data[i] ?? NaN;
          assert.ok(Math.abs(value - exact) <= tolerance * Math.abs(exact) + 1e-7 * tolerance);
        });
      }
    }, { config: { dtype: "float32" } }));
}

Deno.test("an earlier output is replaced, a foreign folder is not", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder);
    const out = join(folder, "out");
    await decompress(file, { out, dtype: "f32" }, recordedRun());
    const run = recordedRun();
    await decompress(file, { out, dtype: "f16", json: true }, run);
    assert.ok(run.lines.includes(`replacing the model in ${out}`));
    assert.equal(JSON.parse(run.printed.join()).tensors, 16);
    const foreign = decompress(file, { out: join(folder, "model"), dtype: "f32" }, run);
    await assert.rejects(foreign, /model: exists and was not written by kanpress/);
  }));

Deno.test("numbers that transformers wants with a point keep one", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder);
    const out = join(folder, "out");
    await decompress(file, { out, dtype: "f32" }, recordedRun());
    const text = await Deno.readTextFile(join(out, "config.json"));
    assert.match(text, /^ {2}"final_logit_softcapping": 30\.0,$/m);
    assert.match(text, /^ {2}"initializer_range": 0\.02,$/m);
    assert.match(text, /^ {2}"n_embd": \d+,?$/m);
  }, { config: { final_logit_softcapping: 30, initializer_range: 0.02, resid_pdrop: 1 } }));

Deno.test("decompress writes ONNX files where transformers.js looks for each type", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder);
    const out = join(folder, "out");
    const sizes = async (onnx: OnnxChoice) => {
      const run = recordedRun();
      await decompress(file, { out, dtype: "f16", onnx, json: true }, run);
      assert.deepEqual(JSON.parse(run.printed.join()).onnx, onnx === true ? ["f32", "q8"] : onnx);
      const names = fileNames(join(out, "onnx"));
      return Object.fromEntries(
        names.map((name) => [name, Deno.statSync(join(out, "onnx", name)).size]),
      );
    };
    const { "model.onnx": f32, ...others } = await sizes(["f32", "f16", "q8", "int8"]);
    const { "model_fp16.onnx": f16, "model_quantized.onnx": q8, ...rest } = others;
    assert.deepEqual(Object.keys(rest), ["model_int8.onnx"]);
    const weights = await decompressWeights(await Deno.readFile(file));
    const values = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    assert.ok(f32! > 4 * values && f16! < f32! - values && q8! < f16!);
    // What transformers.js takes without being told, in Node and in a page.
    assert.deepEqual(await sizes(true), { "model.onnx": f32, "model_quantized.onnx": q8 });
    assert.match(await Deno.readTextFile(join(out, "README.md")), /\(`fp32`, `q8`\)/);
    await decompress(file, { out, dtype: "f16" }, recordedRun());
    assert.ok(!fileNames(out).includes("onnx"));
  }));

Deno.test("a file without integers is written in f32 without being told, and refused as q8", () =>
  withWorkFolder(async (folder) => {
    const model = await openModel(join(folder, "model"));
    const { bytes } = await new HierarchicalCompressor({ preset: "hybrid", bits: 12 })
      .compress(await readStateDict(model), { config: model.config, source: model.name });
    const file = join(folder, "small.kan.safetensors"), out = join(folder, "out");
    await Deno.writeFile(file, bytes);
    const run = recordedRun();
    await decompress(file, { out, dtype: "f32", onnx: true }, run);
    assert.deepEqual(fileNames(join(out, "onnx")), ["model.onnx"]);
    assert.ok(run.lines.some((line) => line.startsWith("onnx: f32 alone;")));
    await assert.rejects(
      decompress(file, { out, dtype: "f32", onnx: ["q8"] }, recordedRun()),
      /small\.kan\.safetensors: its levels do not code integers.*write f16 or f32/,
    );
  }));

Deno.test("weights too small for f16 are refused, those that larger ones drown are not", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder);
    const out = join(folder, "out");
    const run = decompress(file, { out, dtype: "f16" }, recordedRun());
    await assert.rejects(
      run,
      /tensor "transformer.h.0.attn.c_proj.weight": its values are too small for f16; add --dtype bf16/,
    );
    await decompress(file, { out, dtype: "bf16" }, recordedRun());
    const { data } = (await decompressWeights(await Deno.readFile(file))).get(BIAS)!;
    const { data: original } = await (await openModel(join(folder, "model"))).weights.read(BIAS);
    // The compressed file has kept a vector of small values as it was.
    assert.deepEqual(data, original);
  }, {
    alter: (name, values) => {
      if (name.endsWith("attn.c_proj.weight") || name === BIAS) {
        values.forEach((value, i) => values[i] = 1e-8 * value);
      } else values[3] = 1e-8;
    },
  }));

Deno.test("a weight too large for f16 is refused", () =>
  withWorkFolder(async (folder) => {
    const file = await compressIn(folder);
    const out = join(folder, "out");
    const run = decompress(file, { out, dtype: "f16" }, recordedRun());
    await assert.rejects(
      run,
      /tensor "\S+": its values are too large for f16; add --dtype bf16 or f32/,
    );
  }, {
    alter: (name, values) => {
      if (name === "transformer.wpe.weight") values[0] = 1e6;
    },
  }));
