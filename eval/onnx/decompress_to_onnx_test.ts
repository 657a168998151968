import assert from "node:assert";
import { encodeOnnxFiles } from "../../data/onnx/onnx_model.ts";
import { decompressWeights, HierarchicalCompressor } from "../../hierarchy/mod.ts";
import { architectureCases, formulaWeights } from "../testdata/architecture_models.ts";
import { decompressToOnnx } from "./decompress_to_onnx.ts";
import { languageModelGraph } from "./language_model_graph.ts";

const { config } = architectureCases.find(({ name }) => name === "gpt2")!;

async function compressed(preset: "rate" | "hybrid", withConfig = true): Promise<Uint8Array> {
  const compressor = new HierarchicalCompressor({ preset, bits: preset === "rate" ? 8 : 14 });
  const { bytes } = await compressor.compress(formulaWeights(config), withConfig ? { config } : {});
  return bytes;
}

const join = async (parts: Uint8Array[]) =>
  new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());

Deno.test("f32 is the graph of the decoded weights", async () => {
  const bytes = await compressed("rate");
  const [entry] = await decompressToOnnx(ReadableStream.from([bytes]), "f32");
  assert.equal(entry![0], "model.onnx");
  const graph = languageModelGraph(config, await decompressWeights(bytes));
  const expected = encodeOnnxFiles(graph, "model.onnx").get("model.onnx")!;
  assert.deepEqual(await join(entry![1]), await join(expected));
});

Deno.test("each type is where transformers.js looks for it, and smaller than the one before", async () => {
  const bytes = await compressed("rate");
  const sizes = new Map<string, number>();
  const shares: number[] = [];
  for (const type of ["f32", "f16", "q8", "int8"] as const) {
    const files = await decompressToOnnx(bytes, type, {
      onProgress: (share) => shares.push(share),
    });
    for (const [name, parts] of files) sizes.set(name, (await join(parts)).length);
  }
  const names = ["model.onnx", "model_fp16.onnx", "model_quantized.onnx", "model_int8.onnx"];
  assert.deepEqual([...sizes.keys()], names);
  const [f32, f16] = [...sizes.values()];
  assert.ok(f16! < f32!);
  assert.equal(shares.at(-1), 1);
  const divided = await decompressToOnnx(bytes, "f32", { largestFile: 20_000 });
  assert.deepEqual([...divided.keys()].slice(0, 2), ["model.onnx", "model.onnx_data"]);
});

Deno.test("what cannot become an ONNX file is said", async () => {
  const bytes = await compressed("rate", false);
  await assert.rejects(
    decompressToOnnx(bytes, "q8"),
    /has no config; give the model's config\.json/,
  );
  assert.equal((await decompressToOnnx(bytes, "q8", { config })).size, 1);
  const hybrid = await compressed("hybrid");
  await assert.rejects(
    decompressToOnnx(hybrid, "q8"),
    /its levels do not code integers, which 8 bits need; write f16 or f32, or compress with the pre/,
  );
  await assert.rejects(
    decompressToOnnx(bytes, "f32", { config, signal: AbortSignal.abort() }),
    { name: "AbortError" },
  );
});
