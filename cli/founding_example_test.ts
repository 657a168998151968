import assert from "node:assert";
import { openModel } from "../data/mod.ts";
import { loadLanguageModel, useBackend } from "../eval/mod.ts";
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";

Deno.test({
  name: "the founding example works as it was first written down",
  // Training KAN layers of these widths takes more than a minute.
  ignore: Deno.env.get("KANPRESS_SLOW") !== "1",
  async fn() {
    await useBackend("wasm");
    const model = await loadLanguageModel(await openModel());
    const before = model.stateDict();

    const compressor = new HierarchicalCompressor({
      inputDim: model.numParameters(),
      numLevels: 3,
      hiddenDims: [512, 256, 128],
    });
    const compressed = await compressor.compress(model.stateDict());
    // to use the compressed model:
    const restored = await decompressWeights(compressed);
    model.loadStateDict(restored);

    assert.equal(compressed.report.levels.filter(({ kind }) => kind === "autoencoder").length, 3);
    assert.deepEqual([...restored.keys()].sort(), [...before.keys()].sort());
    const logits = model.logits(Int32Array.of(1, 2, 3));
    assert.ok((await logits.data()).every(Number.isFinite));
    logits.dispose();
    model.dispose();
  },
});
