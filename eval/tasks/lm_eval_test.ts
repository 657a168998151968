import assert from "node:assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type DataRecord, openModel } from "../../data/mod.ts";
import { readStateDict } from "../weights/read_state_dict.ts";
import { evaluateTask } from "./evaluate_task.ts";
import reference from "./testdata/lm_eval_stories.json" with { type: "json" };

const stories = fileURLToPath(new URL("../../../shared/models/stories260K", import.meta.url));

Deno.test({
  name: "questions to a model with BOS get the likelihoods and figures of lm-eval",
  ignore: !existsSync(stories),
  async fn() {
    const source = await openModel(stories);
    const common = {
      config: source.config,
      original: await readStateDict(source),
      tokenizer: await source.tokenizer(),
      threads: 1,
    };
    for (const [task, { records, metrics, logLikelihoods }] of Object.entries(reference.tasks)) {
      const result = await evaluateTask({ ...common, task, records: records as DataRecord[] });
      const found = result.samples.map(({ original }) => original.logLikelihoods);
      for (const [i, expected] of logLikelihoods.entries()) {
        for (const [choice, value] of expected.entries()) {
          const difference = Math.abs(found[i]![choice]! - value);
          assert.ok(difference < 1e-4, `${task} ${i + 1}, ${choice}: ${difference}`);
        }
      }
      for (const [name, value] of Object.entries(metrics)) {
        const { original } = result.metrics[name]!;
        assert.ok(Math.abs(original.value / value - 1) < 1e-5 || value === original.value, name);
      }
    }
  },
});
