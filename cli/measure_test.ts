import assert from "node:assert";
import { join } from "node:path";
import type { TextTokenizer } from "../data/mod.ts";
import { readMeasuredText } from "./measure.ts";

/** A tokenizer whose tokens are UTF-16 code units. */
const tokenizer: TextTokenizer = {
  vocabularySize: 65536,
  addsBos: false,
  encode: (text) => Int32Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...Array.from(ids)),
};

Deno.test("a text is read, tokenized and cut to the number of tokens", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = join(folder, "text.txt");
    await Deno.writeTextFile(text, "abc");
    const { tokens, contextLength } = await readMeasuredText({ text }, tokenizer, 2);
    assert.deepEqual(tokens, Int32Array.of(97, 98, 99));
    assert.equal(contextLength, 2);
    const cut = await readMeasuredText({ text, tokens: 2 }, tokenizer, 2);
    assert.deepEqual(cut.tokens, Int32Array.of(97, 98));
    await assert.rejects(
      readMeasuredText({ text }, tokenizer, 4),
      /text.txt: 3 tokens are less than one chunk of 4; give more text/,
    );
    await assert.rejects(
      readMeasuredText({ text, tokens: 2 }, tokenizer, 4),
      /text.txt: --tokens 2 is less than one chunk of 4/,
    );
    await Deno.writeTextFile(text, " \n");
    await assert.rejects(
      readMeasuredText({ text }, tokenizer, 2),
      /text.txt: is empty; give a text/,
    );
    await Deno.writeFile(text, Uint8Array.of(0xff, 0xfe));
    await assert.rejects(readMeasuredText({ text }, tokenizer, 2), /text.txt: is not UTF-8 text/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("without a file it is the embedded text, in chunks of at most 512", async () => {
  const { name, tokens, contextLength, bosTokenId } = await readMeasuredText({}, tokenizer, 8192);
  assert.equal(name, "the embedded text");
  assert.ok(tokens.length > 20_000);
  assert.equal(contextLength, 512);
  assert.equal(bosTokenId, undefined);
});

Deno.test("a tokenizer that adds BOS has chunks begin with it", async () => {
  const adding = { ...tokenizer, addsBos: true, bosTokenId: 1 };
  assert.equal((await readMeasuredText({}, adding, 256)).bosTokenId, 1);
});
