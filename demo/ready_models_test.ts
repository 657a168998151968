import assert from "node:assert";
import { readAll } from "../data/byte_source.ts";
import { embeddedModelPath } from "../data/embedded_model.ts";
import { openModel, weightsDigest } from "../data/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { readMeasuredTable } from "../eval/report/measured_table.ts";
import { readContainerHeader } from "../hierarchy/file/container_header.ts";
import { FORMAT_VERSION } from "../hierarchy/format/constants.ts";
import { decompressWeights } from "../hierarchy/mod.ts";
import { READY_BITS, readyModels } from "./ready_models.ts";

Deno.test("the models that lie ready are the embedded one, in the format of today", async () => {
  const original = await readStateDict(await openModel(embeddedModelPath()));
  const digest = await weightsDigest(original);
  const models = await readyModels();
  assert.equal(models.length, READY_BITS.length);
  for (const [index, { source, companions }] of models.entries()) {
    const { description } = await readContainerHeader(source);
    assert.equal(description.sourceSha256, digest, `made again for format ${FORMAT_VERSION}?`);
    const weights = await decompressWeights(await readAll(source));
    const parameters = [...original.values()].reduce((sum, { data }) => sum + data.length, 0);
    const bits = READY_BITS[index]!;
    assert.ok(8 * source.byteLength <= bits * parameters);
    assert.ok(8 * source.byteLength > 0.99 * bits * parameters);
    let error = 0, square = 0;
    for (const [name, { data }] of original) {
      const other = weights.get(name)!.data;
      for (let i = 0; i < data.length; i++) {
        error += (data[i]! - other[i]!) ** 2;
        square += data[i]! ** 2;
      }
    }
    // Calibration trades errors for those that matter less.
    assert.ok(error / square < 0.25, `${error / square}`);
    const card = new TextDecoder().decode(await readAll(companions.get("README.md")!));
    const rows = readMeasuredTable(card).map(({ name }) => name);
    assert.ok(rows.includes("mean KL divergence"), rows.join());
  }
});
