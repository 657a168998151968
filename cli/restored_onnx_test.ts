import assert from "node:assert";
import { join } from "node:path";
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { memorySource } from "../data/memory_source.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { readStateDict } from "../eval/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { needsEngines } from "../interop/needs_engines.ts";
import { startEngine } from "../interop/start_engine.ts";
import { writeOnnx } from "./restored_onnx.ts";
import { fileNames } from "./testdata/work_folder.ts";

Deno.test({
  ...needsEngines,
  name: "transformers.js finds the data of a model that is too large for one file",
  async fn() {
    const source = await openModel();
    const { config } = source;
    const { bytes } = await new HierarchicalCompressor({ bits: 6, effort: "fast" })
      .compress(await readStateDict(source), { config });
    const container = await openContainer(memorySource(bytes, "small"));
    const weights = await decompressWeights(bytes);
    const tokens = [5, 6, 7, 8, 9, 300];
    const results: Float32Array[] = [];
    for (const largest of [undefined, 5e6]) {
      using folder = new TemporaryFolder();
      const settings = await writeOnnx(
        folder.path,
        { container, config },
        weights,
        ["f32"],
        () => {},
        { signal: new AbortController().signal },
        largest,
      );
      const expected = ["model.onnx", "model.onnx_data", "model.onnx_data_1", "model.onnx_data_2"];
      const names = fileNames(join(folder.path, "onnx"));
      if (largest === undefined) {
        assert.deepEqual([names, settings], [["model.onnx"], {}]);
      } else {
        assert.deepEqual(names.slice(0, 4), expected);
        assert.deepEqual(settings, {
          "transformers.js_config": {
            use_external_data_format: { "model.onnx": names.length - 1 },
          },
        });
      }
      await Deno.writeTextFile(
        join(folder.path, "config.json"),
        JSON.stringify({ ...config, ...settings }),
      );
      for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
        await Deno.copyFile(join(embeddedModelPath(), name), join(folder.path, name));
      }
      const engine = await startEngine("transformers.js", folder.path);
      const { values } = await engine.run({ tokens, labels: tokens, batch: 1, wants: "logits" });
      results.push(values);
      await engine.close();
    }
    assert.deepEqual(results[1], results[0]);
  },
});
