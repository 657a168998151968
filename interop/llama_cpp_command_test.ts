import assert from "node:assert";
import { join } from "node:path";
import { decompress } from "../cli/decompress.ts";
import { recordedRun } from "../cli/testdata/recorded_run.ts";
import { TEXT, withWorkFolder } from "../cli/testdata/work_folder.ts";
import { openModel } from "../data/mod.ts";
import { createLanguageModel, readStateDict, useBackend } from "../eval/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { needsLlamaCpp } from "./needs_llama_cpp.ts";
import { startLlamaCpp } from "./start_llama_cpp.ts";

Deno.test({
  ...needsLlamaCpp,
  name: "llama.cpp reads a text as the compressed model does that decompress --gguf was given",
  fn: () =>
    withWorkFolder(async (folder) => {
      await useBackend("wasm");
      const original = join(folder, "model"), out = join(folder, "small.gguf");
      const source = await openModel(original);
      const { config } = source;
      const { bytes } = await new HierarchicalCompressor({ bits: 6 })
        .compress(await readStateDict(source), { config });
      const file = join(folder, "small.kan.safetensors");
      await Deno.writeFile(file, bytes);
      await decompress(file, { out, dtype: "f32", gguf: "f32", original }, recordedRun());

      const tokenizer = await source.tokenizer();
      const llama = await startLlamaCpp(out);
      const [ids] = await llama.tokenize([TEXT]);
      assert.deepEqual(ids, [...tokenizer.encode(TEXT)]);
      const tokens = ids!.slice(0, 30);
      const scores = await llama.score(tokens);
      await llama.close();

      const model = createLanguageModel(config, await decompressWeights(bytes));
      const logits = model.logits(Int32Array.from(tokens)).dataSync<"float32">();
      model.dispose();
      const width = logits.length / tokens.length;
      for (let row = 0; row < tokens.length; row++) {
        const values = logits.subarray(row * width, (row + 1) * width);
        const sum = values.reduce((total, value) => total + Math.exp(value), 0);
        values.forEach((value, token) => {
          const expected = value - Math.log(sum);
          assert.ok(Math.abs(scores[row * width + token]! - expected) < 1e-2);
        });
      }
    }),
});
