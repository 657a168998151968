/**
 * Zero-shot questions with the prompts and conventions of EleutherAI's lm-evaluation-harness.
 *
 * ```ts
 * import { openModel } from "@kanpress/kanpress/data";
 * import { readStateDict } from "@kanpress/kanpress/eval";
 * import { evaluateTask } from "@kanpress/kanpress/eval/tasks";
 * import assert from "node:assert";
 *
 * const source = await openModel(); // the embedded model
 * const original = await readStateDict(source);
 * const records = [{ text: "She looked at him, and he looked at her" }];
 * const model = { config: source.config, original, tokenizer: await source.tokenizer() };
 * const { metrics } = await evaluateTask({ task: "lambada_openai", ...model, records, threads: 1 });
 * assert.ok(metrics["perplexity"]!.original.value > 1);
 * ```
 *
 * @module
 */
export type { Estimate } from "../scores/statistics.ts";
export {
  evaluateTask,
  type SampleOutcome,
  type TaskMetric,
  type TaskOptions,
  type TaskResult,
  type TaskSample,
} from "./evaluate_task.ts";
export { taskNames } from "./registry.ts";
export type { Continuation } from "./task.ts";
export type { TaskRequest } from "./task_plan.ts";
