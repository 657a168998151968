import assert from "node:assert";
import { join } from "node:path";
import { openModel } from "../../data/mod.ts";
import { checkModel, readFiniteWeights } from "./original_model.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("a model is checked before it is read, and its values when they are", () =>
  withWorkFolder(async (folder) => {
    const model = await openModel(join(folder, "model"));
    assert.equal(checkModel(model).contextLength, 32);
    assert.throws(() => checkModel({ ...model, config: {} }), /model: .*model_type is missing/);
    await assert.rejects(readFiniteWeights(model), /ln_f\.bias" has the value NaN at element 3/);
  }, {
    alter: (name, values) => {
      if (name.endsWith("ln_f.bias")) values[3] = NaN;
    },
  }));
