import assert from "node:assert";
import { join } from "node:path";
import { memorySource } from "../../data/memory_source.ts";
import { parseFrontMatter } from "../../data/front_matter.ts";
import { compress } from "./compress.ts";
import { decompress } from "../decompress.ts";
import { compressedCard, readCardOrigin, restoredCard } from "./model_card.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { fileNames, withWorkFolder } from "../testdata/work_folder.ts";

const sizes = {
  parameters: 1000,
  originalBytes: 2000,
  originalDtype: "F16" as const,
  compressedBytes: 500,
  bitsPerWeight: 4,
};

function document(name: string, text: string) {
  return memorySource(new TextEncoder().encode(text), name);
}

Deno.test("a hub model's card names it, with what its own card says of the licence", async () => {
  const readme =
    "---\nlicense: other\nlicense_name: llama\nlicense_link: LICENSE.md\nlanguage: [no]\n" +
    "pipeline_tag: text-generation\nbase_model: some/parent\ntags: [theirs]\n---\n# Theirs\n";
  const documents = [document("x/README.md", readme), document("x/LICENSE.md", "...")];
  const origin = await readCardOrigin("hf://owner/small-model@v1.0", documents);
  const card = compressedCard(origin, sizes);
  assert.deepEqual(parseFrontMatter(card), {
    base_model: "owner/small-model",
    base_model_relation: "quantized",
    library_name: "kanpress",
    license: "other",
    license_name: "llama",
    license_link: "LICENSE.md",
    language: ["no"],
    pipeline_tag: "text-generation",
    tags: ["kanpress"],
  });
  assert.match(card, /^# small-model at 4\.00 bits per weight$/m);
  assert.match(card, /^\[owner\/small-model\]\(https:\/\/huggingface\.co\/owner\/small-model\), /m);
  assert.match(card, /original: llama, \[LICENSE\.md\]\(LICENSE\.md\)\.$/m);
  assert.match(card, /has not been measured/);
  assert.match(card, /^\| size \| 2\.00 kB \| 500 bytes \| 4\.00× smaller than F16 \|$/m);
  const restored = restoredCard(origin, {
    dtype: "f16",
    onnx: ["f32", "q8"],
    architecture: "GPT2LMHeadModel",
  });
  assert.equal(parseFrontMatter(restored)["library_name"], "transformers");
  assert.match(restored, /model = AutoModelForCausalLM\.from_pretrained/);
  assert.match(restored, /\(`fp32`, `q8`\)[^]*pipeline\("text-generation", ".", \{ dtype: "q8" \}/);
});

Deno.test("a model without a place gets a card that claims nothing", async () => {
  const origin = await readCardOrigin("my [model](x)\u001b<script>", []);
  const card = compressedCard(origin, sizes);
  assert.deepEqual(parseFrontMatter(card), { library_name: "kanpress", tags: ["kanpress"] });
  assert.ok(card.includes("my \\[model\\](x)\\\\u001b\\<script\\>"));
  assert.match(card, /whose folder did not name it\.$/m);
  const licensed = await readCardOrigin("mine", [document("LICENSE", "All rights reserved.")]);
  const { license, license_link: link } = parseFrontMatter(compressedCard(licensed, sizes));
  assert.deepEqual([license, link], ["other", "LICENSE"]);
});

Deno.test("compress and decompress write cards, bring the licence, and know them again", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model"), small = join(folder, "small");
    const restored = join(folder, "restored");
    await Deno.writeTextFile(join(model, "README.md"), "---\nlicense: mit\n---\n# Mine\n");
    await Deno.writeTextFile(join(model, "LICENSE"), "MIT License\n");
    const run = () =>
      compress(model, {
        text: [join(folder, "text.txt")],
        out: small,
        bits: 8,
        dataFree: true,
        seed: 0,
        threads: 1,
        backend: "cpu",
      }, recordedRun());
    const back = () => decompress(small, { out: restored, dtype: "f16" }, recordedRun());
    await run();
    const card = await Deno.readTextFile(join(small, "README.md"));
    assert.equal(parseFrontMatter(card)["license"], "mit");
    assert.match(card, /^\| perplexity \| [\d.,]+ ± [\d.]+ \| [\d.,]+ ± [\d.]+ \| +\|$/m);
    assert.match(card, /^Measured on 105 predicted tokens in 7 chunks of 32 of text\.txt\.$/m);
    assert.ok(!card.includes(folder), "it tells where things are");
    assert.equal(await Deno.readTextFile(join(small, "LICENSE")), "MIT License\n");
    await back();
    const other = await Deno.readTextFile(join(restored, "README.md"));
    assert.match(other, /^Measured on 105 predicted tokens/m);
    assert.equal(parseFrontMatter(other)["license"], "mit");
    assert.ok(fileNames(restored).includes("LICENSE"));
    // Both are replaced by the same bytes.
    await run();
    await back();
    assert.equal(await Deno.readTextFile(join(small, "README.md")), card);
    assert.equal(await Deno.readTextFile(join(restored, "README.md")), other);
    // What the user wrote is not.
    await Deno.writeTextFile(join(small, "README.md"), `${card}\nMy own words.\n`);
    await Deno.writeTextFile(join(restored, "notes.txt"), "mine");
    await assert.rejects(
      run(),
      /small: has a README\.md which kanpress did not write, or which was/,
    );
    await assert.rejects(back(), /restored: has notes\.txt, which kanpress did not write; choose/);
  }));

Deno.test("another model in the same folder leaves nothing of the one before", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model"), small = join(folder, "small");
    const restored = join(folder, "restored");
    const run = async (onnx: boolean) => {
      await compress(model, {
        text: [join(folder, "text.txt")],
        out: small,
        bits: 8,
        dataFree: true,
        seed: 0,
        threads: 1,
        backend: "cpu",
      }, recordedRun());
      const options = {
        out: restored,
        dtype: "f32" as const,
        ...(onnx && { onnx: ["f32"] as const }),
      };
      await decompress(small, options, recordedRun());
    };
    for (const name of ["merges.txt", "chat_template.json"]) {
      await Deno.writeTextFile(join(model, name), "{}");
    }
    await run(true);
    const extras = ["chat_template.json", "merges.txt"];
    assert.deepEqual(fileNames(restored).filter((name) => extras.includes(name)), extras);
    assert.ok(fileNames(restored).includes("onnx"));
    for (const name of extras) await Deno.remove(join(model, name));
    await run(false);
    for (const place of [small, restored]) {
      const left = fileNames(place).filter((name) => extras.includes(name) || name === "onnx");
      assert.deepEqual(left, []);
    }
  }));
