import assert from "node:assert";
import { readFileSync } from "node:fs";
import { readAll } from "./byte_source.ts";
import {
  embeddedModelPath,
  openEmbeddedModel,
  openEmbeddedText,
  readEmbeddedText,
} from "./embedded_model.ts";
import { elementCount } from "./tensor.ts";
import { rangeResponse, withServer } from "./testdata/server.ts";

Deno.test("the embedded model is prose-4m with its tokenizer", async () => {
  const model = await openEmbeddedModel();
  assert.equal(model.name, "prose-4m");
  assert.equal(model.path, embeddedModelPath());
  assert.equal(model.originalBytes, 8552392);
  const counts = model.weights.tensors.map(({ shape }) => elementCount(shape));
  assert.equal(counts.reduce((sum, count) => sum + count), 4273664);
  assert.deepStrictEqual(
    model.companions.map((source) => source.name.replace(/^.*[\\/]/, "")),
    ["config.json", "tokenizer.json", "tokenizer_config.json"],
  );
  const tokenizer = await model.tokenizer();
  const { vocabularySize, bosTokenId, eosTokenId, addsBos } = tokenizer;
  assert.deepStrictEqual([vocabularySize, bosTokenId, eosTokenId, addsBos], [4096, 0, 0, false]);
  const text = await readEmbeddedText();
  assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
});

Deno.test("what is embedded is read over HTTP where kanpress was imported from there", async () => {
  const handler = (request: Request) => {
    const path = new URL(request.url).pathname.replace("/package/", "./embedded/");
    return rangeResponse(request, readFileSync(new URL(path, import.meta.url)));
  };
  await withServer(handler, async (origin) => {
    const base = new URL(`${origin}/package/`);
    const remote = await openEmbeddedModel(base);
    const local = await openEmbeddedModel();
    assert.equal(remote.path, undefined);
    assert.deepStrictEqual(remote.config, local.config);
    assert.deepStrictEqual(remote.weights.tensors, local.weights.tensors);
    assert.equal(remote.originalBytes, local.originalBytes);
    const tensor = "transformer.h.2.mlp.c_fc.weight";
    assert.deepStrictEqual(await remote.weights.read(tensor), await local.weights.read(tensor));
    assert.equal((await remote.tokenizer()).vocabularySize, 4096);
    const text = new TextDecoder().decode(await readAll(await openEmbeddedText(base)));
    assert.equal(text, await readEmbeddedText());
  });
});
