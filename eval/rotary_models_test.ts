import assert from "node:assert";
import { useBackend } from "./compute/backend.ts";
import { KeyValueCache } from "./layers/key_value_cache.ts";
import { createLanguageModel } from "./generation/language_model.ts";
import { jobOptions } from "./scoring/score_windows.ts";
import { rotaryCases, rotaryTokens, rotaryWeights } from "./testdata/rotary_models.ts";

for (const { name, config, logits } of rotaryCases) {
  Deno.test(`rotary positions agree with transformers: ${name}`, async () => {
    await useBackend("wasm");
    const model = createLanguageModel(config, rotaryWeights);
    for (const { length, last } of logits) {
      const found = model.logits(rotaryTokens.slice(0, length));
      const values = found.dataSync().slice(-last.length);
      found.dispose();
      const worst = Math.max(...last.map((value, i) => Math.abs(value - values[i]!)));
      assert.ok(worst <= 1e-4, `${worst} at ${length} tokens`);
    }
    model.dispose();
  });
}

const named = (name: string) => rotaryCases.find((one) => one.name === name)!;

Deno.test("writing token by token, positions are those of the length so far", async () => {
  await useBackend("wasm");
  const { config, logits } = named("longrope");
  const model = createLanguageModel(config, rotaryWeights);
  const cache = new KeyValueCache(1);
  const { length, last } = logits.at(-1)!;
  // Beyond the original context of 16 from the first step on, as in one pass.
  model.logits(rotaryTokens.slice(0, 20), 1, { cache }).dispose();
  for (let at = 20; at < length - 1; at++) {
    model.logits(rotaryTokens.slice(at, at + 1), 1, { cache }).dispose();
  }
  const found = model.logits(rotaryTokens.slice(length - 1, length), 1, { cache });
  const worst = Math.max(...[...found.dataSync()].map((value, i) => Math.abs(value - last[i]!)));
  assert.ok(worst <= 1e-4, `${worst}`);
  found.dispose();
  cache.dispose();
  model.dispose();
});

Deno.test("sequences are not filled up where that would change their positions", () => {
  for (const [name, pads] of [["yarn", true], ["dynamic", false], ["longrope", false]] as const) {
    const { description } = createLanguageModel(named(name).config, rotaryWeights);
    assert.equal(jobOptions(description).pads, pads, name);
    assert.equal(description.contextLength, name === "dynamic" ? 64 : 32);
  }
});
