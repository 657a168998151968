import assert from "node:assert";
import { join } from "node:path";
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createLanguageModel, generateText, readStateDict, useBackend } from "../eval/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { needsEngines } from "./needs_engines.ts";

Deno.test({
  ...needsEngines,
  name: "transformers.js continues a text as kanpress does",
  async fn() {
    await useBackend("wasm");
    using folder = new TemporaryFolder();
    const source = await openModel();
    const { config } = source;
    const { bytes } = await new HierarchicalCompressor({ bits: 8 })
      .compress(await readStateDict(source), { config });
    await Deno.writeFile(join(folder.path, "model.kan.safetensors"), bytes);
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
      await Deno.copyFile(join(embeddedModelPath(), name), join(folder.path, name));
    }
    const prompt = "It was a dark and stormy";
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--allow-all",
        new URL("./transformers_js.ts", import.meta.url).pathname,
        folder.path,
        prompt,
      ],
      stderr: "inherit",
    }).output();
    assert.ok(success);

    const model = createLanguageModel(config, await decompressWeights(bytes));
    const options = { temperature: 0, maxTokens: 40 };
    const added = await generateText(model, await source.tokenizer(), prompt, options);
    model.dispose();
    assert.equal(new TextDecoder().decode(stdout).trimEnd(), (prompt + added).trimEnd());
  },
});
