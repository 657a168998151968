import assert from "node:assert";
import { readAll } from "../../data/byte_source.ts";
import { openModel } from "../../data/mod.ts";
import { readStateDict } from "../../eval/mod.ts";
import { encodeOnnxModel, languageModelGraph } from "../../eval/onnx/mod.ts";
import { planGguf } from "../../gguf/mod.ts";
import { otherSizes } from "./other_sizes.ts";

Deno.test("sizes elsewhere are those of the files that would be written", async () => {
  const { config, weights, companions } = await openModel();
  const file = companions.find(({ name }) => name.endsWith("/tokenizer.json"))!;
  const tokenizer = { tokenizer: JSON.parse(new TextDecoder().decode(await readAll(file))) };
  const found = otherSizes({ config, tensors: weights.tensors, tokenizer });
  assert.deepEqual(found, found.toSorted((a, b) => b.bytes - a.bytes));
  const sizes = new Map(found.map(({ format, bytes }) => [format, bytes]));
  let written = 0;
  for await (const chunk of planGguf({ config, weights, tokenizer }, "q8_0").chunks()) {
    written += chunk.length;
  }
  assert.equal(sizes.get("GGUF Q8_0"), written);
  // With weights of 32 bits and a graph of some kilobytes.
  let onnx = 0;
  const graph = languageModelGraph(config, await readStateDict({ config, weights }));
  for (const chunk of encodeOnnxModel(graph)) onnx += chunk.length;
  const half = sizes.get("ONNX, 16 bits")!;
  assert.ok(Math.abs(2 * half / onnx - 1) < 0.02, `${half} and ${onnx}`);
});

Deno.test("models that llama.cpp does not know have no sizes in GGUF", () => {
  const tensors = [{ name: "w", dtype: "F32" as const, shape: [10, 10] }];
  assert.deepEqual(otherSizes({ config: { model_type: "novel" }, tensors }), [
    { format: "ONNX, 16 bits", bytes: 200 },
    { format: "ONNX, 8 bits", bytes: 100 },
  ]);
});
