import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import type { ServedModels } from "./served_model.ts";
import { type DemoModel, demoSite } from "./site.ts";
import { bundle } from "./testdata/demo_page.ts";

async function model(name: string, config: Record<string, unknown> | undefined, seed = 0) {
  const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i + seed));
  const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
  const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(
    weights,
    config === undefined ? {} : { config },
  );
  const tokenizer = memorySource(new TextEncoder().encode("{}"), "tokenizer.json");
  const source = memorySource(bytes, `${name}.kan.safetensors`);
  return { name, source, companions: new Map([["tokenizer.json", tokenizer]]) };
}

async function listed(models: DemoModel[], first?: number[]): Promise<ServedModels> {
  const site = await demoSite({ models, ...(first && { first }) });
  const file = await site.get("models.json")!();
  return JSON.parse(new TextDecoder().decode(await file.read(0, file.byteLength)));
}

Deno.test("a site lists its models, and which of them are of one kind", async () => {
  await bundle();
  const a = await model("a", { model_type: "gpt2" });
  const b = await model("b", { model_type: "gpt2" }, 1);
  const c = await model("c", { model_type: "llama" });
  const { models, first } = await listed([a, b, c]);
  assert.deepEqual(models.map(({ name }) => name), ["a", "b", "c"]);
  assert.deepEqual(models.map(({ files }) => files), Array(3).fill(["tokenizer.json"]));
  assert.deepEqual(models.map(({ bytes }) => bytes), [a, b, c].map((m) => m.source.byteLength));
  const [kindA, kindB, kindC] = models.map(({ configSha256 }) => configSha256);
  assert.equal(kindA, kindB);
  assert.notEqual(kindA, kindC);
  assert.equal(new Set(models.map(({ headerSha256 }) => headerSha256)).size, 3);
  assert.deepEqual(first, [0, 1]);
  assert.deepEqual((await listed([a, b], [1])).first, [1]);
  assert.deepEqual((await listed([a])).first, [0]);
});

Deno.test("a site refuses what its page could not run", async () => {
  await bundle();
  const sound = await model("sound", { model_type: "gpt2" });
  const cases: [DemoModel, RegExp][] = [
    [{ ...sound, companions: new Map() }, /^sound.kan.safetensors: has no tokenizer.json beside/],
    [await model("bare", undefined), /^bare.kan.safetensors: holds no config.json/],
    [
      { ...sound, source: memorySource(new Uint8Array(100), "zeros.kan.safetensors") },
      /^zeros.kan.safetensors: /,
    ],
  ];
  for (const [bad, message] of cases) {
    await assert.rejects(demoSite({ models: [bad] }), { name: "InputError", message });
  }
  await assert.rejects(
    demoSite({ models: [], scripts: new URL("missing/", import.meta.url) }),
    /not bundled; run `deno task demo:bundle` in /,
  );
});
