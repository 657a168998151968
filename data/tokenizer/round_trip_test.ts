import assert from "node:assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { embeddedModelPath, readEmbeddedText } from "../embedded_model.ts";
import { openModel } from "../open_model.ts";
import { createTextTokenizer, type TextTokenizer } from "../tokenizer.ts";
import { warnOfLostText } from "./round_trip.ts";

const recorded = JSON.parse(
  gunzipSync(readFileSync(new URL("./testdata/recorded_ids.json.gz", import.meta.url))).toString(),
);

function variant(name: string, changes: Record<string, unknown> = {}): TextTokenizer {
  const found = recorded.variants.find((item: { name: string }) => item.name === name);
  const { model, settings, normalizer, pre_tokenizer, decoder, added_tokens } = found;
  return createTextTokenizer({
    ...{ normalizer, pre_tokenizer, decoder, added_tokens },
    model: { ...recorded.models[model], ...settings },
    ...changes,
  });
}

const warningOf = (tokenizer: TextTokenizer, text: string, most?: number) =>
  warnOfLostText(tokenizer, "t.txt", text, tokenizer.encode(text, most));

Deno.test("text that comes back, or is changed by design, is not warned of", async () => {
  const text = "Hello world.\n\nThe quick brown fox: the dog sleeps, 12 words!\n";
  const names = ["GPT-2", "Llama 3", "Qwen 2", "Llama 2", "Llama 2, older", "Gemma", "BERT"];
  for (const name of [...names, "T5", "XLM-RoBERTa", "Unigram with bytes"]) {
    // Spaces in a row are one to T5 and BERT.
    for (const most of [undefined, 1, 7]) {
      assert.equal(warningOf(variant(name), text, most), undefined);
    }
  }
  const tokenizer = await (await openModel(embeddedModelPath())).tokenizer();
  assert.equal(warningOf(tokenizer, await readEmbeddedText()), undefined);
});

Deno.test("text that the vocabulary cannot write is shown", () => {
  const lost = warningOf(
    variant("without bytes, fused"),
    "Hello world, a new☢line and more text.",
  );
  assert.equal(
    lost,
    'warning: t.txt: the tokenizer does not give it back: "world, a new☢line and mo" became ' +
      '"world, a new<unk>line an" first, so that the model reads another text',
  );
  assert.match(
    warningOf(variant("no unknown token"), "one 😀 two")!,
    /"one 😀 two" became "one {2}two/,
  );
  assert.match(warningOf(variant("BERT"), "one ☢ two")!, /"one☢two" became "one\[unk\]two"/);
});

Deno.test("a decoder of another kind is shown", () => {
  const warning = warningOf(variant("GPT-2", { decoder: { type: "Fuse" } }), "one two");
  assert.match(warning!, /"one two" became "oneĠtwo" first/);
});

const models = new URL("../../../shared/models/", import.meta.url);
let there = true;
try {
  Deno.statSync(models);
} catch {
  there = false;
}

Deno.test({
  name: "stories260K gives a text back",
  ignore: !there,
  async fn() {
    const model = await openModel(fileURLToPath(new URL("stories260K", models)));
    assert.equal(
      warningOf(await model.tokenizer(), "Once upon a time,\nthere was 😀 é"),
      undefined,
    );
  },
});
