import assert from "node:assert";
import type { TransformerDescription } from "./architectures/description.ts";
import { unknownMember } from "./architectures/members.ts";
import { architectures, describeModel } from "./architectures/registry.ts";
import { useBackend } from "./compute/backend.ts";
import { createLanguageModel, type LanguageModel } from "./generation/language_model.ts";
import { KeyValueCache } from "./layers/key_value_cache.ts";
import { architecturesPage, memberTexts, pagePath } from "./testdata/architectures_page.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "./testdata/architecture_models.ts";

Deno.test("there is a recorded model of every architecture", () => {
  const recorded = new Set(architectureCases.map(({ config }) => config.model_type));
  assert.deepEqual([...recorded].sort(), architectures.map(({ modelType }) => modelType).sort());
});

Deno.test("docs/architectures.md says what the registry says", async () => {
  // Without what formatting changes.
  const bare = (text: string) => text.replaceAll(/[\s|]+|-{3,}/g, " ");
  const expected = bare(architecturesPage());
  const found = bare(await Deno.readTextFile(pagePath));
  assert.equal(found, expected, "deno task architectures writes it again");
});

Deno.test("every member that a model has is told on the page, or said not to be", () => {
  for (const { name, config } of architectureCases) {
    const unknown = unknownMember(describeModel(config, []), [...memberTexts.keys()]);
    assert.equal(unknown, undefined, name);
  }
});

function assertClose(found: ArrayLike<number>, expected: Float32Array): void {
  assert.equal(found.length, expected.length);
  const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i]!)), 0);
  assert.ok(worst <= 1e-4, `${worst}`);
}

for (const { name, config, logits } of architectureCases) {
  Deno.test(`logits agree with transformers: ${name}`, async () => {
    await useBackend("wasm");
    const model = createLanguageModel(config, formulaWeights(config));
    for (const { length, values } of logits) {
      const found = model.logits(architectureTokens.slice(0, length));
      assertClose(found.dataSync(), values);
      found.dispose();
    }
    if (model.description.objective === "nextToken") {
      const { length, values } = logits.at(-1)!;
      const first = tokensAtOnce(model.description);
      const written = logitsByToken(model, architectureTokens.subarray(0, length), first);
      assertClose(written, values.subarray(values.length - written.length));
    }
    model.dispose();
  });
}

/** Tokens after which positions are the same however many follow. */
function tokensAtOnce({ layers }: TransformerDescription): number {
  switch (layers[0]!.attention.rotary?.scaling?.kind) {
    case "dynamic":
      return architectureTokens.length;
    case "longrope":
      return 10;
    default:
      return 1;
  }
}

/**
 * Logits of the tokens from the last of `first` on, read by a cache: `first` tokens at once, the
 * others one after another.
 */
function logitsByToken(model: LanguageModel, tokens: Int32Array, first: number): Float32Array {
  const cache = new KeyValueCache(model.description.layers.length);
  const rows: number[] = [];
  for (let start = 0, end = first; end <= tokens.length; start = end, end++) {
    const found = model.logits(tokens.slice(start, end), 1, { cache });
    rows.push(...found.dataSync().slice(-model.description.vocabularySize));
    found.dispose();
  }
  cache.dispose();
  return Float32Array.from(rows);
}
