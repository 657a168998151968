import assert from "node:assert";
import { type NamedFile, sortChosenFiles } from "./chosen_files.ts";

function file(name: string, text = ""): NamedFile {
  return { name, size: text.length, text: () => Promise.resolve(text) };
}

const MODEL = file("model.kan.safetensors");
const TOKENIZER = JSON.stringify({ model: { vocab: { a: 0 } } });

async function namesOf(files: readonly NamedFile[]): Promise<Record<string, string>> {
  const { weights, companions } = await sortChosenFiles(files);
  return {
    weights: weights.name,
    ...Object.fromEntries(Array.from(companions, ([role, { name }]) => [role, name])),
  };
}

Deno.test("a whole folder can be chosen", async () => {
  const names = [
    "README.md",
    "LICENSE",
    "config.json",
    "merges.txt",
    "vocab.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "SHA256SUMS",
    ".DS_Store",
  ];
  assert.deepEqual(await namesOf([...names.map((name) => file(name)), MODEL]), {
    weights: "model.kan.safetensors",
    "README.md": "README.md",
    "tokenizer.json": "tokenizer.json",
    "tokenizer_config.json": "tokenizer_config.json",
  });
});

Deno.test("files that were renamed are known, by their names or by what they hold", async () => {
  const files = [file("model.kan (1).safetensors"), file("tokenizer (2).json", TOKENIZER)];
  assert.deepEqual(await namesOf(files), {
    weights: "model.kan (1).safetensors",
    "tokenizer.json": "tokenizer (2).json",
  });
  assert.deepEqual(await namesOf([MODEL, file("my-tokens.json", TOKENIZER)]), {
    weights: "model.kan.safetensors",
    "tokenizer.json": "my-tokens.json",
  });
});

Deno.test("what is not a model's is refused by its name", async () => {
  const cases: [NamedFile[], RegExp][] = [
    [[], /^there are no files here; choose a .kan.safetensors file/],
    [[MODEL, file("notes.json", "{}")], /^notes.json: is not a file of a compressed model/],
    [[MODEL, file("list.json", "[1, 2]")], /^list.json: is not a file/],
    [[MODEL, file("torn.json", '{"model": {')], /^torn.json: is not a file/],
    [[MODEL, file("holiday.jpg")], /^holiday.jpg: is not a file/],
    [[file("tokenizer.json", TOKENIZER)], /^tokenizer.json: is not a model; choose a .kan/],
    [[MODEL, file("b.kan.safetensors")], /^model.kan.safetensors and b.kan.*: choose one model/],
  ];
  for (const [files, message] of cases) {
    await assert.rejects(sortChosenFiles(files), { name: "InputError", message });
  }
});
