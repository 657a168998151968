import assert from "node:assert";
import { join } from "node:path";
import { openModel } from "../data/mod.ts";
import { checkModel, openOriginal, readFiniteWeights, recordedName } from "./original_model.ts";
import { Phases } from "./phases.ts";
import { recordedSession } from "./testdata/recorded_session.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const session = recordedSession();
const phases = new Phases(session, session.signal);

Deno.test("the original is the one given, else the one recorded, else none", () =>
  withWorkFolder(async (folder) => {
    const path = join(folder, "model");
    const open = async (given?: string, recorded?: string) =>
      (await openOriginal(given, recorded, phases, session.signal))?.name;
    assert.equal(await open(path, "prose-4m"), path);
    assert.equal(await open(undefined, path), path);
    assert.equal(await open(undefined, "prose-4m"), "prose-4m");
    assert.equal(await open(undefined, join(folder, "gone")), undefined);
    assert.equal(await open(), undefined);
    await assert.rejects(open(join(folder, "gone")), /does not exist/);
  }));

Deno.test("a file records the embedded model, a path, or a hub model", () =>
  withWorkFolder(async (folder) => {
    const path = join(folder, "model");
    assert.equal(recordedName(undefined, await openModel()), "prose-4m");
    const model = await openModel(path);
    assert.equal(recordedName(path, model), path);
    assert.equal(recordedName("owner/name", { ...model, name: "owner/name" }), "hf://owner/name");
  }));

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
