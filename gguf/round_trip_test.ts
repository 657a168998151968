import assert from "node:assert";
import { join } from "node:path";
import { ggufArchitectures } from "../data/gguf/architectures.ts";
import { openModel } from "../data/mod.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { createLanguageModel, readStateDict, useBackend } from "../eval/mod.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { planGguf } from "./plan_gguf.ts";
import { ggufConfigs, letters, sourceOf } from "./testdata/model_configs.ts";

Deno.test("there is a model of every architecture that GGUF has", () => {
  const tried = new Set(Object.values(ggufConfigs).map((config) => config["model_type"]));
  for (const { modelType } of ggufArchitectures) assert.ok(tried.has(modelType), modelType);
});

const tokens = Int32Array.from({ length: 20 }, (_, i) => (7 * i * i + 3 * i + 5) % 80);

function logitsOf(config: ModelConfig, weights: Parameters<typeof createLanguageModel>[1]) {
  const model = createLanguageModel(config, weights);
  const logits = model.logits(tokens);
  const values = logits.dataSync<"float32">();
  logits.dispose();
  model.dispose();
  return values;
}

for (const [name, config] of Object.entries(ggufConfigs)) {
  Deno.test(`what was written as GGUF is read as the same model: ${name}`, async () => {
    await useBackend("wasm");
    const weights = randomStateDict(config, 3);
    using folder = new TemporaryFolder();
    const path = join(folder.path, "model.gguf");
    const plan = planGguf({ config, weights: sourceOf(weights), tokenizer: letters(80) }, "f32");
    await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
    const source = await openModel(path);
    const found = logitsOf(source.config, await readStateDict(source));
    const expected = logitsOf(config, weights);
    const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
    // A file does not say which kind of GELU it is.
    const most = config["hidden_act"] === undefined ? 1e-4 : 1e-3;
    assert.ok(worst < most, `${worst}`);
  });
}

Deno.test("layers that llama.cpp would run in another way are refused by what differs", () => {
  const refused = (name: string, change: ModelConfig, message: RegExp) => {
    const config = { ...ggufConfigs[name]!, ...change };
    const weights = sourceOf(randomStateDict(config, 1));
    assert.throws(() => planGguf({ config, weights }, "f32"), { name: "InputError", message });
  };
  refused("gemma2", { layer_types: ["full_attention", "sliding_attention"] }, /layer 0 has no sl/);
  refused("gemma2", { query_pre_attn_scalar: 7 }, /attention is scaled by 0.37/);
  refused("gemma3_text", { rope_local_base_freq: 500 }, /layer 0 has a base of 500, .* 10000/);
  refused("smollm3", { no_rope_layer_interval: 2 }, /layer 1 is not rotated/);
});
