import assert from "node:assert";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { evaluate } from "./evaluate/evaluate.ts";
import { sample } from "./sample.ts";
import { byteTokenizer } from "./testdata/byte_tokenizer.ts";
import { recordedRun } from "./testdata/recorded_run.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const common = { threads: 1, backend: "cpu", seed: 0 } as const;
const sampling = { maxTokens: 60, temperature: 1, topK: 0, topP: 1 };

/** Lets the tokenizer of the folder's model have no tokens from `size` on: they only pad. */
async function padVocabulary(folder: string, size: number): Promise<void> {
  const tokenizer = byteTokenizer() as { model: { vocab: Record<string, number> } };
  const { vocab } = tokenizer.model;
  for (const [token, id] of Object.entries(vocab)) if (id >= size) delete vocab[token];
  await Deno.writeTextFile(join(folder, "model/tokenizer.json"), JSON.stringify(tokenizer));
  // A class that names no token that ends texts.
  const settings = { tokenizer_class: "PreTrainedTokenizerFast" };
  await Deno.writeTextFile(join(folder, "model/tokenizer_config.json"), JSON.stringify(settings));
}

Deno.test("ids that only pad the vocabulary do not end sample and --prompt", () =>
  withWorkFolder(async (folder) => {
    await padVocabulary(folder, 200);
    const model = join(folder, "model");
    const run = recordedRun();
    await sample(model, { ...common, tokens: 64, context: 32 }, run);
    assert.ok(run.printed.join("").length > 10);
    const prompt = "\n";
    await evaluate(model, { ...common, ...sampling, json: true, prompt }, run);
    const { continuations } = JSON.parse(run.printed.at(-1)!);
    assert.ok(continuations.original.length > 30, continuations.original);
  }));

Deno.test("a text that the tokenizer cannot write is warned of", () =>
  withWorkFolder(async (folder) => {
    await padVocabulary(folder, 195);
    const text = join(folder, "other.txt");
    await Deno.writeTextFile(text, `the ferry came, and then ${"the late one: é. ".repeat(9)}`);
    const run = recordedRun();
    const options = { ...common, ...sampling, json: true, text: [text] } as const;
    await evaluate(join(folder, "model"), options, run);
    const warning = run.lines.find((line) => line.startsWith("warning: "));
    assert.match(
      warning!,
      /other\.txt: .* back: "e late one: é\. .*" became "e late one: .\. .*" first/,
    );
  }));

const shared = fileURLToPath(new URL("../../shared/", import.meta.url));

Deno.test({
  name: "BOS that the post-processor alone names begins the chunks of stories260K",
  ignore: !existsSync(join(shared, "models/stories260K")),
  fn: () =>
    withWorkFolder(async (folder) => {
      const model = join(folder, "stories");
      cpSync(join(shared, "models/stories260K"), model, { recursive: true });
      await Deno.writeTextFile(join(model, "tokenizer_config.json"), "{}");
      const run = recordedRun();
      const text = join(shared, "data/tinystories-eval.txt");
      const measured = { text: [text], tokens: 2048, context: 16, json: true } as const;
      await evaluate(model, { ...common, ...sampling, ...measured, backend: "wasm" }, run);
      const { perplexity } = JSON.parse(run.printed.join());
      // Without BOS it is 5.5157.
      assert.ok(Math.abs(perplexity - 7.0904) < 1e-4, `${perplexity}`);
    }),
});
