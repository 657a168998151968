import assert from "node:assert";
import {
  createKanModel,
  createRandom,
  evaluateKan,
  fitKan,
  type KanModel,
  samplesFrom,
} from "../mod.ts";
import { createGaussians } from "../bases/mod.ts";
import { updateGrids } from "../fitting/grid_update.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";
import { attributeKan, removeEdge } from "../pruning/mod.ts";
import { deepenKan, perturbKan, widenKan } from "./mod.ts";

const random = createRandom(3);
const points = Array.from({ length: 40 }, () => [0, 1, 2].map(() => 2 * random.uniform() - 1));
const inputs = samplesFrom(points);
const at = { layer: 0, input: 1, output: 0 };
const form = { name: "sin", inputScale: 2, inputShift: 0, outputScale: 1, outputShift: 0.3 };
const base = createKanModel({
  widths: [3, { sums: 2, products: [2, 3] }, 2],
  random: createRandom(1),
});
const scaling = {
  inputs: [1, 2, 3].map((center) => ({ center, spread: 2 })),
  outputs: [{ center: 100, spread: 30 }, { center: 0, spread: 1 }],
};
const models: Record<string, KanModel> = {
  "products": base,
  "symbolic and removed edges": removeEdge(fixSymbolic(base, inputs, at, form), inputs, {
    layer: 1,
    input: 3,
    output: 1,
  }),
  "grids for each input, scaled columns": { ...updateGrids(base, inputs), scaling },
  "another basis, no scales": createKanModel({
    widths: [3, 2, 2],
    basis: createGaussians(),
    splineScale: false,
    base: "none",
    random: createRandom(2),
  }),
};

function near(a: KanModel, b: KanModel, tolerance: number) {
  const [x, y] = [a, b].map((model) => evaluateKan(model, inputs).data);
  x!.forEach((value, i) => assert.ok(Math.abs(value - y![i]!) <= tolerance, `${value} ${y![i]}`));
}

for (const [name, model] of Object.entries(models)) {
  Deno.test(`${name}: a wider and a deeper network computes the same, and learns more`, async () => {
    const wide = widenKan(model, { layer: 0, sums: 2, products: [2], random: createRandom(4) });
    near(wide, model, 0);
    assert.equal(wide.layers[1]!.inputDim, model.layers[1]!.inputDim + 3);
    const deep = deepenKan(wide, inputs);
    near(deep, model, 1e-9);
    assert.equal(deep.layers.length, 3);
    const targets = samplesFrom(points.map(([x, y, z]) => [Math.sin(4 * x! * y!), z! * x!]));
    const data = { inputs, targets };
    const least = { steps: 15, optimizer: "levenberg-marquardt", scaling: false } as const;
    const { history } = await fitKan(deep, data, least);
    assert.ok(history.at(-1)!.loss < 0.9 * history[0]!.loss);
    const used = attributeKan(
      (await fitKan(wide, data, { steps: 20, scaling: false })).model,
      inputs,
    );
    assert.ok(used.layers[0]!.nodes.every((score) => score > 0));
  });
}

Deno.test("noise reaches living edges, removed ones, or both, and no symbolic one", () => {
  const model = models["symbolic and removed edges"]!;
  const perturb = (edges: "living" | "removed" | "all") =>
    perturbKan(model, { magnitude: 0.5, edges, random: createRandom(9) }).layers;
  const removed = perturb("removed");
  assert.deepEqual(removed[0]!.coefficients, model.layers[0]!.coefficients);
  assert.equal(removed[1]!.mask[3 * 2 + 1], 1);
  assert.equal(removed[0]!.mask[at.input * 7], 0);
  const living = perturb("living");
  assert.deepEqual(living[1]!.mask, model.layers[1]!.mask);
  assert.notDeepEqual(living[0]!.coefficients, model.layers[0]!.coefficients);
  assert.deepEqual(living[0]!.symbolic, model.layers[0]!.symbolic);
  assert.deepEqual(perturb("all"), perturb("all"));
  assert.throws(() => perturbKan(model, { magnitude: 0, random }), /magnitude/);
});
