import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import { embeddedModelPath, openModel } from "../../data/mod.ts";
import { HierarchicalCompressor } from "../../hierarchy/compressor.ts";
import { decompressWeights } from "../../hierarchy/decompress.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { useBackend } from "../compute/backend.ts";
import { CompactModel } from "./compact_model.ts";
import { generateText } from "./generate.ts";
import { createLanguageModel, loadLanguageModel } from "./language_model.ts";

const source = await openModel(embeddedModelPath());
const tokenizer = await source.tokenizer();
const options = { maxTokens: 12, seed: 3, temperature: 0.7, threads: 2 };

Deno.test("a checkpoint in 16 bits writes what its floats do", async () => {
  const compact = (await CompactModel.load(source))!;
  const parameters = 4_270_080;
  assert.ok(compact.weightBytes < 2.1 * parameters, `${compact.weightBytes}`);
  await useBackend("cpu");
  const reference = await loadLanguageModel(source);
  const expected = await generateText(reference, tokenizer, "The door opened", options);
  assert.equal(await generateText(compact, tokenizer, "The door opened", options), expected);
  compact.dispose();
  await assert.rejects(compact.startRunner(), /disposed/);
  reference.dispose();
});

Deno.test("a compressed model writes from its integers, in 1.15 bytes a weight", async () => {
  const { bytes } = await new HierarchicalCompressor({ bits: 4 }).compress(source.weights);
  const container = await openContainer(memorySource(bytes, "model"));
  const shares: number[] = [];
  const compact = (await CompactModel.loadCompressed(container, source.config, {
    onProgress: (share) => shares.push(share),
  }))!;
  assert.deepEqual([shares.at(-1), shares.toSorted((a, b) => a - b)], [1, shares]);
  await useBackend("cpu");
  const reference = createLanguageModel(source.config, await decompressWeights(bytes));
  const parameters = reference.numParameters();
  assert.ok(compact.weightBytes <= 1.15 * parameters, `${compact.weightBytes / parameters}`);
  const expected = await generateText(reference, tokenizer, "She said that", options);
  assert.equal(await generateText(compact, tokenizer, "She said that", options), expected);
  reference.dispose();
});
