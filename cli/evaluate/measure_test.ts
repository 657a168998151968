import assert from "node:assert";
import { join } from "node:path";
import type { TextTokenizer } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { readMeasuredText } from "./measure.ts";

/** A tokenizer whose tokens are UTF-16 code units. */
const tokenizer: TextTokenizer = {
  vocabularySize: 65536,
  addsBos: false,
  encode: (text, most) => Int32Array.from(text.slice(0, most), (letter) => letter.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...Array.from(ids)),
};

/** A model that reads this many tokens at once. */
function modelOf(contextLength: number): TransformerDescription {
  const sizes = { n_embd: 2, n_head: 1, n_layer: 1, n_positions: contextLength };
  return describeModel({ model_type: "gpt2", vocab_size: 65536, ...sizes }, []);
}

Deno.test("a text is read, tokenized and cut to the number of tokens", async () => {
  using folder = new TemporaryFolder();
  const text = join(folder.path, "text.txt");
  await Deno.writeTextFile(text, "abc");
  const options = { text, protocol: "huggingface", context: 2 } as const;
  const { evaluation } = await readMeasuredText(options, tokenizer, modelOf(8));
  assert.deepEqual(evaluation, {
    tokens: Int32Array.of(97, 98, 99),
    protocol: "huggingface",
    contextLength: 2,
    stride: 1,
  });
  const cut = await readMeasuredText({ ...options, tokens: 2 }, tokenizer, modelOf(8));
  assert.deepEqual(cut.evaluation.tokens, Int32Array.of(97, 98));
  const rejects = (message: RegExp) =>
    assert.rejects(readMeasuredText({ text }, tokenizer, modelOf(4)), message);
  await rejects(/text.txt: the text has 3 tokens, but one chunk needs 4; give a longer text/);
  const lines = join(folder.path, "text.jsonl");
  await Deno.writeTextFile(lines, '{"text":"a"}\n{"text":""}\n{"text":"b"}');
  const joined = await readMeasuredText({ ...options, text: lines }, tokenizer, modelOf(8));
  assert.equal(String.fromCharCode(...joined.evaluation.tokens), "a\n\n\n\nb");
  await Deno.writeTextFile(lines, '{"words":"a"}');
  await assert.rejects(
    readMeasuredText({ text: lines }, tokenizer, modelOf(8)),
    /text.jsonl: record 1 has no field text/,
  );
  await Deno.writeTextFile(text, " \n");
  await rejects(/text.txt: is empty; give a text/);
  await Deno.writeFile(text, Uint8Array.of(0xff, 0xfe));
  await rejects(/text.txt: is not UTF-8 text/);
});

Deno.test("without a file it is the embedded text, in chunks of at most 512", async () => {
  const { name, evaluation } = await readMeasuredText({}, tokenizer, modelOf(8192));
  assert.equal(name, "the embedded text");
  assert.ok(evaluation.tokens.length > 20_000);
  assert.equal(evaluation.protocol, "llama.cpp");
  assert.equal(evaluation.contextLength, 512);
  assert.equal(evaluation.bosTokenId, undefined);
});

Deno.test("a tokenizer that adds BOS has chunks begin with it", async () => {
  const adding = { ...tokenizer, addsBos: true, bosTokenId: 1 };
  assert.equal((await readMeasuredText({}, adding, modelOf(256))).evaluation.bosTokenId, 1);
});
