import assert from "node:assert";
import { fileURLToPath } from "node:url";
import recorded from "../data/gguf/testdata/models.json" with { type: "json" };
import { openModel } from "../data/mod.ts";
import { useBackend } from "./compute/backend.ts";
import { loadLanguageModel } from "./generation/language_model.ts";

const folder = new URL("../data/gguf/testdata/", import.meta.url);

for (const [file, { ids, logits }] of Object.entries(recorded.models)) {
  Deno.test(`${file}: logits are those of transformers' gguf_file=`, async () => {
    await useBackend("wasm");
    const model = await loadLanguageModel(await openModel(fileURLToPath(new URL(file, folder))));
    const tensor = model.logits(Int32Array.from(ids));
    const found = tensor.dataSync().slice(-model.description.vocabularySize);
    tensor.dispose();
    model.dispose();
    logits.forEach((expected, i) => {
      const difference = Math.abs(found[16 * i]! - expected);
      assert.ok(difference < 1e-4, `logit ${16 * i}: ${found[16 * i]} instead of ${expected}`);
    });
  });
}
