import assert from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { embeddedModelPath, openModel } from "../../data/mod.ts";
import { createTextTokenizer, type TextTokenizer } from "../../data/tokenizer.ts";
import { recorded, recordedTokenizer } from "../../data/tokenizer/testdata/recorded_tokenizers.ts";
import { GrowingText } from "./added_text.ts";

/** Has tokens come after those of a beginning: what is shown must grow to what all decode to. */
function checkGrowth(tokenizer: TextTokenizer, before: Int32Array, added: Int32Array): void {
  const growing = new GrowingText(tokenizer, before);
  const shown = Array.from(added, (token) => growing.add(token));
  assert.equal(growing.tokens, added.length);
  assert.equal(
    tokenizer.decode(before) + growing.whole(),
    tokenizer.decode([...before, ...added]),
  );
  let last = "";
  for (const text of [...shown, growing.whole()]) {
    assert.ok(text.startsWith(last), `${last} is taken back: ${text}`);
    last = text;
  }
  assert.ok(shown.every((text) => !text.endsWith("\ufffd")));
}

/** A text in two parts, each of whole characters. */
function checkTexts(tokenizer: TextTokenizer, beginning: string, rest: string): void {
  let before: Int32Array, added: Int32Array;
  try {
    [before, added] = [tokenizer.encode(beginning), tokenizer.encode(rest)];
  } catch (error) {
    // Some have no token for what they do not know.
    if (error instanceof InputError) return;
    throw error;
  }
  checkGrowth(tokenizer, before, added);
}

for (const variant of recorded.variants) {
  Deno.test(`growing text: ${variant.name}`, () => {
    const tokenizer = recordedTokenizer(variant);
    for (const text of recorded.texts) {
      const characters = [...text];
      const middle = characters.length >> 1;
      checkTexts(
        tokenizer,
        characters.slice(0, middle).join(""),
        characters.slice(middle).join(""),
      );
    }
  });
}

const SMOLLM2 = new URL("../../../shared/fixtures/smollm2-135m/tokenizer.json", import.meta.url);
const real: Readonly<Record<string, () => Promise<TextTokenizer>>> = {
  "the embedded model": async () => await (await openModel(embeddedModelPath())).tokenizer(),
  ...(existsSync(SMOLLM2) && {
    // Not part of the repository.
    SmolLM2: () => Promise.resolve(createTextTokenizer(JSON.parse(readFileSync(SMOLLM2, "utf8")))),
  }),
};
for (const [name, load] of Object.entries(real)) {
  Deno.test(`growing text: any characters, and any tokens, of ${name}`, async () => {
    const tokenizer = await load();
    const text = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.toWellFormed());
    fc.assert(fc.property(text, text, (a, b) => checkTexts(tokenizer, a, b)));
    const ids = fc.array(fc.nat(tokenizer.vocabularySize - 1), { maxLength: 20 });
    fc.assert(fc.property(ids, (ids) => {
      checkGrowth(tokenizer, new Int32Array(), Int32Array.from(ids));
    }));
  });
}
