import assert from "node:assert";
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../data/mod.ts";
import { randomStateDict } from "../../eval/testdata/random_model.ts";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { compress } from "./compress.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

const options: CompressOptions = { bits: 8, seed: 0, threads: 1, backend: "cpu", json: true };

async function run(model: string, changes: Partial<CompressOptions>) {
  const run = recordedRun();
  await compress(model, { ...options, ...changes }, run);
  return { fields: JSON.parse(run.printed.join()), run };
}

/** Writes a random DistilBERT classifier without a tokenizer. */
async function writeClassifier(folder: string): Promise<void> {
  const config = {
    model_type: "distilbert",
    architectures: ["DistilBertForSequenceClassification"],
    dim: 16,
    hidden_dim: 32,
    n_heads: 2,
    n_layers: 1,
    max_position_embeddings: 16,
    vocab_size: 257,
  };
  await Deno.mkdir(folder);
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
  await writeSafetensors(
    join(folder, "model.safetensors"),
    Array.from(randomStateDict(config, 3), ([name, { dtype, shape, data }]) => ({
      name,
      dtype,
      shape,
      bytes: fromFloat32(dtype, data),
    })),
  );
}

Deno.test("a classifier without a tokenizer is compressed, and told not to be measured", () =>
  withWorkFolder(async (folder) => {
    const [model, out] = [join(folder, "classifier"), join(folder, "small.kan.safetensors")];
    await writeClassifier(model);
    const { fields } = await run(model, { out });
    assert.match(fields.notMeasured, /^a classifier predicts no text; --task sst2_classifier/);
    assert.match(fields.notCalibrated, /does not predict next tokens/);
    assert.ok(!("perplexity" in fields) && !("task" in fields));
    const restored = await decompressWeights(await Deno.readFile(out));
    assert.ok(restored.has("pre_classifier.weight"));
    const text = recordedRun();
    const { json: _, ...spoken } = options;
    await compress(model, { ...spoken, out }, text);
    assert.match(text.printed.join(), /\nnot measured: a classifier .*\nnot calibrated: the model/);
    // What is asked for and impossible is an error still.
    await assert.rejects(run(model, { out, tokens: 9 }), /has no tokenizer.json/);
  }));

Deno.test("a model without a tokenizer is calibrated on what it writes", () =>
  withWorkFolder(async (folder) => {
    const [model, out] = [join(folder, "model"), join(folder, "small.kan.safetensors")];
    await Deno.remove(join(model, "tokenizer.json"));
    const { fields } = await run(model, { out, calibrationTokens: 64 });
    assert.equal(fields.notMeasured, "the model has no tokenizer.json");
    assert.ok("calibrate" in fields.seconds && !("notCalibrated" in fields));
    await assert.rejects(
      run(model, { out, calibration: [join(folder, "text.txt")] }),
      /has no tokenizer.json/,
    );
  }));

Deno.test("--task measures by questions, which are looked at before the work", () =>
  withWorkFolder(async (folder) => {
    const [model, out] = [join(folder, "model"), join(folder, "small.kan.safetensors")];
    const data = join(folder, "set.jsonl");
    const lines = ["It was his hat", "It was her coat"].map((text) => JSON.stringify({ text }));
    await Deno.writeTextFile(data, lines.join("\n"));
    const asked = { out, dataFree: true, task: "lambada_openai", data } as const;
    const { fields } = await run(model, asked);
    assert.equal(fields.task.questions, 2);
    assert.ok(fields.task.metrics.perplexity.compressed.value > 1);
    assert.ok(!("perplexity" in fields) && !("samples" in fields.task));
    const text = recordedRun();
    const { json: _, ...spoken } = options;
    await compress(model, { ...spoken, ...asked, limit: 1 }, text);
    assert.match(text.printed.join(), /\nperplexity +\S+ +\S+ +change \S+\nacc /);
    assert.match(text.printed.join(), /\nmeasured on 1 question of lambada_openai, zero-shot\n/);
    await assert.rejects(
      run(model, { ...asked, task: "piqa" }),
      /set.jsonl: record 1: field goal must be text/,
    );
    await assert.rejects(
      run(model, { ...asked, task: "sst2_classifier" }),
      /model: the task sst2_classifier does not suit this gpt2 model/,
    );
  }));

Deno.test("--no-evaluate measures nothing", () =>
  withWorkFolder(async (folder) => {
    const [model, out] = [join(folder, "model"), join(folder, "small.kan.safetensors")];
    const { fields } = await run(model, { out, dataFree: true, evaluate: false });
    assert.equal(fields.notMeasured, "--no-evaluate");
    assert.ok(!("evaluate" in fields.seconds));
  }));
