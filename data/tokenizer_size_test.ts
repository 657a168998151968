import assert from "node:assert";
import { embeddedModelPath } from "./embedded_model.ts";
import { openFile } from "./file_source.ts";
import { checkTokenizerFile, tokenizerSize } from "./tokenizer_size.ts";

Deno.test("tokens are counted in every kind of vocabulary", () => {
  const added = [{ id: 7, content: "<pad>" }, { id: "x" }, null];
  assert.equal(tokenizerSize({ model: { vocab: { a: 0, b: 3 } }, added_tokens: added }), 8);
  assert.equal(tokenizerSize({ model: { vocab: [["a", -1], ["b", -2]] } }), 2);
  assert.equal(tokenizerSize({ model: { vocab: { a: -1, b: 0.5, c: "1" } } }), 0);
  assert.equal(tokenizerSize({ model: null, added_tokens: {} }), 0);
});

Deno.test("a tokenizer with too many or too few tokens for the model is refused", async () => {
  const file = await openFile(`${embeddedModelPath()}/tokenizer.json`);
  await checkTokenizerFile(file, { vocab_size: 4096 });
  await checkTokenizerFile(file, {});
  for (const size of [300, 50257]) {
    await assert.rejects(checkTokenizerFile(file, { vocab_size: size }), {
      name: "InputError",
      message: new RegExp(`has 4096 tokens, but config.json gives the model ${size}; they belong`),
    });
  }
});
