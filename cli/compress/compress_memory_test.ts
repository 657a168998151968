import assert from "node:assert";
import { describeModel } from "../../eval/architectures/registry.ts";
import { expectedTensors } from "../../eval/weights/expected_tensors.ts";
import { planMemory, type PlannedJob, weightCount } from "./compress_memory.ts";

const DESCRIPTION = describeModel({
  ...{ model_type: "llama", hidden_size: 512, intermediate_size: 1536, num_hidden_layers: 12 },
  ...{ num_attention_heads: 8, max_position_embeddings: 2048, vocab_size: 20_000 },
  tie_word_embeddings: true,
}, []);

/** A job that is only planned. */
function jobOf(
  options: Partial<PlannedJob["options"]> = {},
  preset: PlannedJob["target"]["preset"] = "rate",
): PlannedJob {
  const tensors = Array.from(
    expectedTensors(DESCRIPTION),
    ([name, shape]) => ({ name, shape, dtype: "BF16" as const }),
  );
  return {
    source: { weights: { tensors } },
    target: { preset, bits: 3 },
    measurement: { kind: "none" },
    options: { backend: "wasm", threads: 2, ...options },
  } as unknown as PlannedJob;
}

const plan = (available: number | undefined, options?: Partial<PlannedJob["options"]>) =>
  planMemory(jobOf(options), DESCRIPTION, available, true)!;

Deno.test("weights are counted", () => {
  const matrices = 20_000 * 512 + 12 * (4 * 512 ** 2 + 3 * 512 * 1536);
  assert.equal(weightCount(jobOf().source), matrices + 25 * 512);
});

Deno.test("drift is corrected where both models have room, or nobody knows", () => {
  const { bytes } = plan(undefined);
  assert.equal(plan(bytes).driftLine, undefined);
  assert.equal(plan(bytes).bytes, bytes);
  assert.ok(plan(undefined, { correctDrift: false }).bytes < bytes);
});

Deno.test("where there is less room it is not, which is said; asked for, it is an error", () => {
  const less = plan(undefined).bytes - 1;
  const short = plan(less);
  assert.match(short.driftLine!, /^drift is not corrected: that takes about .+, and .+ is there$/);
  assert.equal(short.bytes, plan(undefined, { correctDrift: false }).bytes);
  assert.equal(plan(less, { effort: "fast" }).driftLine, undefined);
  assert.throws(() => plan(less, { correctDrift: true }), /leave --correct-drift out/);
});

Deno.test("presets with autoencoders are not planned", () => {
  assert.equal(planMemory(jobOf({}, "seed"), DESCRIPTION, 1, false), undefined);
});
