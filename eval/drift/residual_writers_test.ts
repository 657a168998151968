import assert from "node:assert";
import { describeModel } from "../architectures/registry.ts";
import { architectureCases, formulaWeights } from "../testdata/architecture_models.ts";
import { residualGap, residualWriters } from "./residual_writers.ts";

/** Ends of the names of the first layer's writers. */
function writersOf(modelType: string): (string | undefined)[] {
  const { config } = architectureCases.find(({ config }) => config.model_type === modelType)!;
  const [layer] = describeModel(config, formulaWeights(config).keys()).layers;
  return residualWriters(layer!).map(({ weight }) => weight.split(".").at(-2));
}

Deno.test("attention and feed-forward block write to the residual stream in this order", () => {
  assert.deepEqual(writersOf("llama"), ["o_proj", "down_proj"]);
  assert.deepEqual(writersOf("gpt2"), ["c_proj", "c_proj"]);
  assert.deepEqual(writersOf("gpt_neox"), ["dense", "dense_4h_to_h"]);
});

Deno.test("what a norm comes after does not", () => {
  for (const type of ["gemma2", "olmo2", "distilbert"]) assert.deepEqual(writersOf(type), []);
});

Deno.test("what is written is multiplied by a factor, so that a gap is divided by it", () => {
  const { config } = architectureCases.find(({ config }) => config.model_type === "llama")!;
  const [layer] = describeModel(config, formulaWeights(config).keys()).layers;
  const theirs = Float32Array.of(3, 1), ours = Float32Array.of(1, 2);
  assert.deepEqual([...residualGap(theirs, ours, layer!)], [2, -1]);
  assert.deepEqual([...residualGap(theirs, ours, { ...layer!, residualScale: 0.5 })], [4, -2]);
});
