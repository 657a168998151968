import assert from "node:assert";
import { openGgufModel } from "../data/gguf/gguf_model.ts";
import { InputError } from "../data/input_error.ts";
import { memorySource } from "../data/memory_source.ts";
import { planWithTokenizer, recorded } from "./testdata/recorded_tokenizers.ts";

/** What GGUF cannot say of a tokenizer, by whose texts it shows. */
const lost: Readonly<Record<string, (text: string) => boolean>> = {
  // It has no normalizers.
  "Qwen 2": (text) => text !== text.normalize("NFC"),
  "cl100k, as in StableLM 2": (text) => text !== text.normalize("NFC"),
  "GPT-NeoX, StableLM, Phi 2": (text) => text !== text.normalize("NFC"),
  // SentencePiece begins every text, and what comes behind an added token, with a space.
  "Mistral": beginsWithSpace,
  "Llama 2": beginsWithSpace,
  "Metaspace, split": beginsWithSpace,
  "older Metaspace": beginsWithSpace,
  // It does not say which added tokens take spaces along.
  "Phi 3": (text) => text.includes("<|im_end|>"),
};

function beginsWithSpace(text: string): boolean {
  return /^[ ▁]|<\/?s>/.test(text);
}

async function readAgain(variant: typeof recorded.variants[number]) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of planWithTokenizer(variant).chunks()) chunks.push(chunk);
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  const parts = [memorySource(bytes, "a.gguf")];
  return await openGgufModel({ name: "a", parts, documents: [] });
}

let tried = 0;
// Where and how added tokens are found, GGUF does not say.
for (const variant of recorded.variants.filter(({ name }) => !name.startsWith("added tokens"))) {
  try {
    planWithTokenizer(variant);
  } catch (error) {
    // Most variants are of what llama.cpp does not have.
    if (error instanceof InputError) continue;
    throw error;
  }
  tried++;
  const { name, ids } = variant;
  Deno.test(`${name}: a tokenizer that was written as GGUF gives the same ids`, async () => {
    const tokenizer = await (await readAgain(variant)).tokenizer();
    let compared = 0;
    recorded.texts.forEach((text, i) => {
      if (lost[name]?.(text)) return;
      assert.equal(tokenizer.encode(text).join(" "), ids[i], JSON.stringify(text));
      compared++;
    });
    assert.ok(compared >= 30, `${compared} texts`);
  });
}

Deno.test("tokenizers of many kinds were written", () => assert.ok(tried >= 12, `${tried}`));
