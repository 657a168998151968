import assert from "node:assert";
import { join } from "node:path";
import { evaluate } from "./evaluate.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { taskText } from "./task_report.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("evaluate --task asks the questions of a file", () =>
  withWorkFolder(async (folder) => {
    const data = join(folder, "set.jsonl");
    const lines = ["It was his hat", "It was her coat"].map((text) => JSON.stringify({ text }));
    await Deno.writeTextFile(data, lines.join("\n"));
    const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1, seed: 1 };
    const options: EvaluateOptions = {
      ...sampling,
      task: "lambada_openai",
      data,
      limit: 1,
      threads: 1,
      backend: "cpu",
      json: true,
    };
    const run = recordedRun();
    await evaluate(join(folder, "model"), options, run);
    const { task, questions, metrics } = JSON.parse(run.printed.join());
    assert.deepEqual([task, questions], ["lambada_openai", 1]);
    assert.ok(metrics.perplexity.original.value > 1);
    assert.equal(run.printed.length, 1);
    assert.equal("samples" in JSON.parse(run.printed[0]!), false);

    const logSamples = join(folder, "samples.jsonl");
    for (const _ of [1, 2]) {
      await evaluate(join(folder, "model"), { ...options, limit: 2, logSamples }, run);
    }
    const log = (await Deno.readTextFile(logSamples)).trimEnd().split("\n");
    const samples = log.map((line) => JSON.parse(line));
    assert.deepEqual(
      samples.map(({ question, record, requests }) => [question, record, requests]),
      [
        [1, { text: "It was his hat" }, [{ context: "It was his", continuation: " hat" }]],
        [2, { text: "It was her coat" }, [{ context: "It was her", continuation: " coat" }]],
      ],
    );
    const perplexity = JSON.parse(run.printed.at(-1)!).metrics.perplexity.original.value;
    const loss = samples.reduce((sum, { original }) => sum - original.logLikelihoods[0] / 2, 0);
    assert.ok(Math.abs(Math.exp(loss) / perplexity - 1) < 1e-12);

    await assert.rejects(
      evaluate(join(folder, "model"), { ...options, logSamples: data }, run),
      /set.jsonl: exists and was not written by kanpress; choose another --log-samples/,
    );
    await Deno.writeTextFile(data, '{"words": "none"}');
    await assert.rejects(
      evaluate(join(folder, "model"), options, run),
      /set.jsonl: record 1: field text must be text, but it is missing/,
    );
  }));

Deno.test("accuracies are shown in percent, with their change", () => {
  const estimate = (value: number) => ({ value, standardError: 0.02 });
  const metrics = {
    acc: { original: estimate(0.5), compressed: estimate(0.4), change: estimate(-0.1) },
  };
  const text = taskText("m", { task: "piqa", questions: 100, metrics });
  assert.match(
    text,
    /original +compressed +change\nacc +50\.0 ± 2\.0 % +40\.0 ± 2\.0 % +-10\.0 ± 2\.0 %/,
  );
  assert.match(text, /100 questions of piqa, zero-shot$/);
});
