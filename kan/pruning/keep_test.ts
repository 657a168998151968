import assert from "node:assert";
import { createKanModel, createRandom, evaluateKan, type KanModel, samplesFrom } from "../mod.ts";
import { createGaussians } from "../bases/mod.ts";
import { updateGrids } from "../fitting/grid_update.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";
import {
  attributeKan,
  attributeNodes,
  interactionsOf,
  keepInputs,
  keepNodes,
  pruneKan,
  removeEdge,
} from "./mod.ts";

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
  Deno.test(`${name}: chosen nodes and inputs stay as they are`, () => {
    const all = [...Array(model.layers[1]!.inputDim).keys()];
    near(keepNodes(model, inputs, 0, all), model, 1e-12);
    near(keepInputs(model, inputs, [2, 0, 1]), model, 1e-12);
    const fewer = keepNodes(model, inputs, 0, [1, 0, 1]);
    assert.deepEqual([fewer.layers[1]!.inputDim, fewer.layers[0]!.products.length], [2, 0]);
    const narrow = keepInputs(model, inputs, [2]);
    assert.equal(narrow.layers[0]!.inputDim, 1);
    assert.equal(narrow.scaling?.inputs.length ?? 1, 1);
    assert.throws(() => keepNodes(model, inputs, 1, [0]), /layer/);
    assert.throws(() => keepNodes(model, inputs, 0, [9]), /kept/);
    assert.throws(() => keepInputs(model, inputs, []), /number of values of kept/);
  });
}

Deno.test("keeping the nodes that pruning keeps gives what pruning gives", () => {
  const model = createKanModel({ widths: [3, 4, 1], random: createRandom(7) });
  const scores = attributeKan(model, inputs).layers[0]!.nodes;
  const threshold = [...scores].sort((a, b) => a - b)[1]!;
  const kept = [...scores.keys()].filter((node) => scores[node]! > threshold);
  const pruned = pruneKan(model, inputs, { nodeThreshold: threshold, edgeThreshold: 0 });
  near(keepNodes(model, inputs, 0, kept), pruned, 1e-12);
});

Deno.test("nodes are attributed as outputs are, and grouped by what they use", () => {
  // sum 0 uses x, sum 1 uses y and z, sum 2 uses y and z, sum 3 is constant.
  const edges = [[1, 0, 0, 0], [0, 1, 2, 0], [0, 1, 1, 0]];
  const first = createKanModel({ widths: [3, 4, 1], random: createRandom(0) });
  let model: KanModel = first;
  edges.forEach((row, input) =>
    row.forEach((outputScale, output) => {
      const line = { name: "x", inputScale: 1, inputShift: 0, outputScale, outputShift: 0 };
      model = fixSymbolic(model, inputs, { layer: 0, input, output }, line);
    })
  );
  const scores = attributeNodes(model, inputs, 0);
  assert.equal(scores.length, 4);
  assert.ok(Math.abs(scores[0]![0]! - 1) < 1e-3 && scores[0]![1] === 0);
  const column = (i: number) => points.map((point) => point[i]!);
  const std = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
  };
  const sum = std(points.map(([, y, z]) => 2 * y! + z!));
  assert.ok(Math.abs(scores[2]![1]! - 2 * std(column(1)) / (sum + 1e-4)) < 1e-12);
  assert.deepEqual(interactionsOf(model, inputs, 0), [
    { inputs: [1, 2], nodes: [1, 2] },
    { inputs: [0], nodes: [0] },
  ]);
  assert.deepEqual(attributeNodes(model, inputs, 1)[0], attributeKan(model, inputs).inputs);
  assert.throws(() => attributeNodes(model, inputs, 2), /layer/);
});
