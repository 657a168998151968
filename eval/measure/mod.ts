/**
 * Other ways to measure: layer by layer, for models that fill the memory, and run against run.
 *
 * ```ts
 * import { openModel, readEmbeddedText } from "@kanpress/kanpress/data";
 * import { useBackend } from "@kanpress/kanpress/eval";
 * import { compareRuns, evaluateByLayer } from "@kanpress/kanpress/eval/measure";
 * import assert from "node:assert";
 *
 * await useBackend("wasm");
 * const { config, weights, ...source } = await openModel();
 * const tokens = (await source.tokenizer()).encode(await readEmbeddedText(), 512);
 * const run = await evaluateByLayer({ config, original: weights, tokens, contextLength: 128 });
 * assert.equal(compareRuns(run, run).perplexityRatio.value, 1);
 * ```
 *
 * @module
 */
export { compareRuns, type RunComparison, type RunFigures } from "./compare_runs.ts";
export { evaluateByLayer, type EvaluateByLayerOptions } from "./evaluate_by_layer.ts";
export type { FrequencyClass } from "./frequency_classes.ts";
