import assert from "node:assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GgufValue } from "../data/gguf/metadata_value.ts";
import { preTokenizerNames, preTokenizerOf } from "../data/gguf/pre_tokenizers.ts";
import recorded from "../data/gguf/testdata/models.json" with { type: "json" };
import { fileToWrite } from "../data/gguf/testdata/file_to_write.ts";
import { ggufBytes, numberValue, textsValue, textValue } from "../data/gguf/testdata/gguf_bytes.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { toByteLetters } from "../data/tokenizer/byte_alphabet.ts";
import { openModel } from "../data/mod.ts";
import { needsLlamaCpp } from "./needs_llama_cpp.ts";
import { startLlamaCpp } from "./start_llama_cpp.ts";

const pathOf = (name: string) =>
  fileURLToPath(new URL(`../data/gguf/testdata/${name}`, import.meta.url));

/** Texts that are hard to split, and all that llama.cpp can be sent. */
const texts = [
  ...recorded.texts.filter((text) => !text.includes("\0")),
  "x = a.b[12345] + c_d('e')\r\n\r\n\tdon't  stop, he'll I'VE!!! 1,000.5%",
  "<|im_start|>user\nhi <think>there<|im_end|>\n<s> </s>",
];

/** Texts that llama.cpp splits in another way than the tokenizers that it names, which we follow. */
const splitsOtherwise: Readonly<Record<string, RegExp>> = {
  // Its patterns for these have no combining marks.
  "tekken": /\p{M}/u,
  "gpt-4o": /\p{M}/u,
  // Nor is U+0085 white space for it there.
  "deepseek-coder": /\u0085/,
};

async function compare(path: string, except?: RegExp): Promise<void> {
  const tokenizer = await (await openModel(path)).tokenizer();
  const llama = await startLlamaCpp(path);
  const ids = await llama.tokenize(texts, true);
  await llama.close();
  texts.forEach((text, i) => {
    if (except?.test(text)) return;
    assert.equal(
      tokenizer.encode(text).join(" "),
      ids[i]!.join(" "),
      JSON.stringify(text),
    );
  });
}

for (const file of Object.keys(recorded.models)) {
  Deno.test({
    ...needsLlamaCpp,
    name: `${file}: token ids are llama.cpp's`,
    fn: () => compare(pathOf(file)),
  });
}

/** A vocabulary whose tokens go over every boundary there is: where a text is split, ids change. */
function crossingVocabulary(): { tokens: string[]; merges: string[] } {
  const letters = texts.map((text) => [...toByteLetters(text)]);
  const alphabet = [...toByteLetters(BYTES), ...letters.flat()];
  const runs = (length: number) =>
    letters.flatMap((list) => list.map((_, i) => list.slice(i, i + length)))
      .filter((run) => run.length === length).map((run) => run.join(""));
  const pairs = [...new Set(runs(2))];
  // llama.cpp takes that one for the end of a text, whatever its type.
  const fours = [...new Set(runs(4))].filter((token) => token !== "</s>");
  const half = (token: string) =>
    `${token.slice(0, token.length / 2)} ${token.slice(token.length / 2)}`;
  const tokens = [
    ...new Set(["<|endoftext|>", "<|im_start|>", "<|im_end|>", ...alphabet]),
  ];
  return {
    tokens: [...tokens, ...pairs, ...fours],
    merges: [...pairs, ...fours].map(half),
  };
}

/** Every byte that a text may have. */
const BYTES = String.fromCodePoint(
  ...Array.from({ length: 0x800 }, (_, code) => code),
);

const tiny = fileToWrite(Deno.readFileSync(pathOf("tiny_llama.gguf")));
const { tokens, merges } = crossingVocabulary();
const changes: Record<string, GgufValue> = {
  "tokenizer.ggml.tokens": textsValue(tokens),
  "tokenizer.ggml.merges": textsValue(merges),
  "tokenizer.ggml.token_type": {
    type: "ARRAY",
    elements: { type: "INT32", values: tokens.map((_, id) => id < 3 ? 3 : 1) },
  },
  "llama.vocab_size": numberValue("UINT32", tokens.length),
};
const [embedding, ...others] = tiny.tensors!;
const shape = [tokens.length, 64], bytes = new Uint8Array(tokens.length * 68);
const tensors = [{ ...embedding!, shape, bytes }, ...others];

/** One name for each way to split; falcon's is that of its own tokenizer, which llama.cpp's is not. */
const names = new Map(
  preTokenizerNames.filter((name) => name !== "falcon").toReversed()
    .map((name) => [JSON.stringify(preTokenizerOf(name)), name]),
);

for (const pre of names.values()) {
  Deno.test({
    ...needsLlamaCpp,
    name: `pre-tokenizer ${pre}: token ids are llama.cpp's`,
    async fn() {
      const changed: Record<string, GgufValue> = {
        ...changes,
        "tokenizer.ggml.pre": textValue(pre),
      };
      const metadata = tiny.metadata!.map(([key, value]) => [key, changed[key] ?? value] as const);
      using folder = new TemporaryFolder();
      const path = join(folder.path, "model.gguf");
      await Deno.writeFile(path, ggufBytes({ ...tiny, metadata, tensors }));
      await compare(path, splitsOtherwise[pre]);
    },
  });
}
