import assert from "node:assert";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { evaluate } from "mathjs";
import {
  createKanModel,
  createRandom,
  decodeKan,
  encodeKan,
  evaluateKan,
  fitKan,
  type KanModel,
  refineKan,
  samplesFrom,
  updateGrids,
} from "../mod.ts";
import { attributeKan, pruneInputs } from "../pruning/mod.ts";
import { evaluateObjective } from "../engine/objective.ts";
import { jacobianOf } from "../engine/jacobian.ts";
import { Kan } from "../layers/kan.ts";
import { parametersOf, withParameters } from "../model/model.ts";
import { autoSymbolic } from "../symbolic/suggest.ts";
import { formulaOf } from "../symbolic/formula.ts";

const scaling = {
  inputs: [{ center: 40, spread: 20 }, { center: 60_000, spread: 30_000 }],
  outputs: [{ center: 5000, spread: 700 }, { center: 0.5, spread: 0.01 }],
};
const layers = createKanModel({ widths: [2, 3, 2], random: createRandom(1) }).layers;
const model: KanModel = { layers, scaling };
const raw = samplesFrom([[25, 31_000], [58, 80_000], [44, 61_000], [33, 89_000]]);
const scaled = samplesFrom(
  [0, 1, 2, 3].map((row) =>
    scaling.inputs.map(({ center, spread }, i) => (raw.data[2 * row + i]! - center) / spread)
  ),
);

/** People with an age, an income, and what they save. */
function people(count: number, seed: number) {
  const random = createRandom(seed);
  const rows = Array.from({ length: count }, () => {
    const age = 20 + 50 * random.uniform(), income = 15_000 + 150_000 * random.uniform() ** 2;
    const savings = 0.15 * income + 9000 * Math.sin((age - 20) / 10) + 200;
    return [age, income, savings];
  });
  return {
    inputs: samplesFrom(rows.map(([age, income]) => [age!, income!])),
    targets: samplesFrom(rows.map(([, , savings]) => [savings!])),
  };
}

Deno.test("a scaled model computes its layers on scaled columns", () => {
  const inner = evaluateKan({ layers }, scaled).data;
  evaluateKan(model, raw).data.forEach((value, at) => {
    const { center, spread } = scaling.outputs[at % 2]!;
    assert.ok(Math.abs(value - (center + spread * inner[at]!)) < 1e-9);
  });
  assert.deepEqual(attributeKan(model, raw), attributeKan({ layers }, scaled));
});

Deno.test("gradients and Jacobians of a scaled model are those of raw outputs", () => {
  const data = { inputs: raw, targets: evaluateKan({ layers, scaling }, raw) };
  const moved = withParameters(
    model,
    parametersOf(model).map((value, i) => value + 0.01 * (i % 3)),
  );
  const { gradient } = evaluateObjective(moved, data, "mse");
  const jacobian = jacobianOf(moved, raw);
  const at = parametersOf(moved);
  for (const i of [0, 7, at.length - 1]) {
    const step = 1e-5;
    const [up, down] = [step, -step].map((h) => withParameters(moved, at.with(i, at[i]! + h)));
    const difference = (evaluateObjective(up!, data, "mse").value -
      evaluateObjective(down!, data, "mse").value) / (2 * step);
    assert.ok(Math.abs(gradient[i]! - difference) < 1e-5 * (1 + Math.abs(difference)));
    const rise = (evaluateKan(up!, raw).data[0]! - evaluateKan(down!, raw).data[0]!) / (2 * step);
    assert.ok(Math.abs(jacobian.data[i]! - rise) < 1e-6 * (1 + Math.abs(rise)));
  }
});

Deno.test("scaling survives files, tfjs, grids, refinement and pruning", async () => {
  const expected = evaluateKan(model, raw).data;
  const same = (other: KanModel, tolerance: number) =>
    evaluateKan(other, raw).data.forEach((value, at) =>
      assert.ok(Math.abs(value - expected[at]!) <= tolerance, `${value} ${expected[at]}`)
    );
  same(decodeKan(encodeKan(model)), 0);
  same(updateGrids(model, raw), 1e-6);
  same(refineKan(model, 6), 1e-6);
  await tf.setBackend("wasm");
  const kan = Kan.fromModel(model);
  const outputs = kan.apply(tf.tensor2d(Float32Array.from(raw.data), [4, 2])).dataSync();
  outputs.forEach((value, at) => assert.ok(Math.abs(value - expected[at]!) < 5e-3));
  assert.deepEqual((await kan.toModel()).scaling, scaling);
  kan.dispose();
  const still = samplesFrom([[25, 50_000], [58, 50_000], [44, 50_000]]);
  const { model: narrow, kept } = pruneInputs(model, still);
  assert.deepEqual(kept, [0]);
  assert.deepEqual(narrow.scaling!.inputs, [scaling.inputs[0]]);
  evaluateKan(narrow, samplesFrom([[25], [58], [44]])).data.forEach((value, at) =>
    assert.ok(Math.abs(value - evaluateKan(model, still).data[at]!) < 1e-9)
  );
});

Deno.test("files with a scaling have another version, and a wrong one is refused", () => {
  const rewrite = (from: string, to: string) => {
    const bytes = encodeKan(model), text = new TextDecoder("latin1").decode(bytes);
    assert.ok(text.includes(from) && from.length === to.length, text.slice(0, 300));
    return Uint8Array.from(text.replace(from, to), (character) => character.charCodeAt(0));
  };
  assert.doesNotThrow(() => decodeKan(rewrite("60000", "50000")));
  assert.throws(() => decodeKan(rewrite("30000", "00000")), RangeError);
  assert.throws(() => decodeKan(rewrite('\\"scaling\\"', '\\"scalxng\\"')), /lack the scaling/);
  assert.throws(() => decodeKan(rewrite('\\"version\\":2', '\\"version\\":3')), /version 3/);
});

Deno.test("raw columns are fitted as well as columns scaled by hand, and read as raw formulas", async () => {
  const train = people(400, 1), test = people(300, 2);
  const fresh = createKanModel({
    widths: [2, 1],
    grid: { intervals: 8 },
    random: createRandom(0),
  });
  const fit = await fitKan(fresh, train, { steps: 60, validation: test });
  assert.equal(fit.model.scaling!.inputs.length, 2);
  const outputs = evaluateKan(fit.model, test.inputs).data;
  const error = Math.sqrt(
    outputs.reduce((sum, value, i) => sum + (value - test.targets.data[i]!) ** 2, 0) /
      outputs.length,
  );
  assert.ok(error < 150, `${error}`); // savings are from 200 to 30,000
  const again = await fitKan(fit.model, train, { steps: 5, gridUpdate: false });
  assert.deepEqual(again.model.scaling, fit.model.scaling);
  const named = autoSymbolic(fit.model, train.inputs, { functions: ["x", "sin"] });
  const least = { steps: 60, optimizer: "levenberg-marquardt" } as const;
  const exact = await fitKan(named.model, train, least);
  const [formula] = formulaOf(exact.model, { inputNames: ["age", "income"] });
  assert.equal(formula!.text, "0.15 * income + 200 - 9000 * sin(0.1 * age + 1.1416)");
  for (let row = 0; row < 20; row++) {
    const [age, income] = test.inputs.data.subarray(2 * row, 2 * row + 2);
    const value = evaluate(formula!.text, { age, income });
    assert.ok(Math.abs(value - test.targets.data[row]!) < 20, `${formula!.text}`);
  }
});

Deno.test("data of a workable size, and models that know their data, are left alone", async () => {
  const options = { steps: 2, scaling: "auto" } as const;
  const small = { inputs: samplesFrom([[-9], [9], [2]]), targets: samplesFrom([[50], [-2], [3]]) };
  const one = createKanModel({ widths: [1, 1], random: createRandom(0) });
  assert.equal((await fitKan(one, small, options)).model.scaling, undefined);
  const large = {
    inputs: samplesFrom(Array.from({ length: 40 }, (_, i) => [i])),
    targets: samplesFrom(Array.from({ length: 40 }, (_, i) => [i / 10])),
  };
  const off = await fitKan(one, large, { steps: 40, scaling: false });
  assert.equal(off.model.scaling, undefined);
  assert.equal((await fitKan(off.model, large, options)).model.scaling, undefined);
  assert.ok((await fitKan(one, large, options)).model.scaling !== undefined);
  const constant = { inputs: samplesFrom([[1e6], [1e6]]), targets: samplesFrom([[1], [2]]) };
  assert.equal((await fitKan(one, constant, options)).model.scaling, undefined);
  await assert.rejects(
    fitKan(one, large, { scaling: { inputs: [], outputs: [] } }),
    /number of scaling.inputs/,
  );
});
