import assert from "node:assert";
import { join } from "node:path";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import type { GgufPlan } from "../gguf/mod.ts";
import { planWithTokenizer, recorded, variantOf } from "../gguf/testdata/recorded_tokenizers.ts";
import { needsLlamaCpp } from "./needs_llama_cpp.ts";
import { startLlamaCpp } from "./start_llama_cpp.ts";

async function idsOf(plan: GgufPlan, texts: readonly string[]): Promise<string[]> {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "model.gguf");
  await Deno.writeFile(path, ReadableStream.from(plan.chunks()));
  const llama = await startLlamaCpp(path);
  const ids = await llama.tokenize(texts, true);
  await llama.close();
  return ids.map((list) => list.join(" "));
}

/** Which of the texts have the same ids in llama.cpp, by the variant's name. */
const written: Readonly<Record<string, (text: string) => boolean>> = {
  "GPT-2": () => true,
  "RoBERTa": () => true,
  "Llama 3": () => true,
  "o200k, as in Phi 4": () => true,
  "Tekken, as in Mistral NeMo": () => true,
  "DeepSeek": () => true,
  "SmolLM, StarCoder": () => true,
  "Llama 2, older": () => true,
  "Gemma": () => true,
  "Metaspace never": () => true,
  // It does not normalize.
  "Qwen 2": (text) => text === text.normalize("NFC"),
  "cl100k, as in StableLM 2": (text) => text === text.normalize("NFC"),
  "GPT-NeoX, StableLM, Phi 2": (text) => text === text.normalize("NFC"),
  // It writes a space before those that there are, and before what comes behind a special token.
  "Mistral": (text) => !/^[ ▁]/.test(text) && !text.includes("</s>"),
  // Added tokens there take spaces along.
  "Phi 3": (text) => !text.includes("<|im_end|>"),
};

for (const [name, isSame] of Object.entries(written)) {
  Deno.test({
    ...needsLlamaCpp,
    name: `${name}: llama.cpp's token ids are those of ${recorded.library}`,
    async fn() {
      const variant = variantOf(name);
      const found = await idsOf(planWithTokenizer(variant), recorded.texts);
      recorded.texts.forEach((text, i) => {
        if (isSame(text)) assert.equal(found[i], variant.ids[i], JSON.stringify(text));
      });
      assert.ok(recorded.texts.filter(isSame).length >= 30);
    },
  });
}
