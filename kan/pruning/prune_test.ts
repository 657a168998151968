import assert from "node:assert";
import { attributeKan } from "./attribution.ts";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { fitKan } from "../fitting/fit.ts";
import { createKanModel, type KanModel } from "../model/model.ts";
import { pruneInputs, pruneKan, removeEdge } from "./prune.ts";
import { createRandom } from "../numeric/random.ts";
import { refineKan } from "../fitting/refine.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";

const random = createRandom(3);
const inputs = samplesFrom(Array.from({ length: 200 }, () => {
  return [2 * random.uniform() - 1, 2 * random.uniform() - 1, 2 * random.uniform() - 1];
}));
const column = (index: number) => inputs.data.filter((_, at) => at % 3 === index);

/** A model whose edges are all lines: output = slope * input. */
function linearModel(widths: Parameters<typeof createKanModel>[0]["widths"], slopes: number[][]) {
  const model = createKanModel({ widths, initialization: "zero", base: "identity", random });
  model.layers.forEach((layer, l) => layer.baseWeights.set(slopes[l]!));
  return model;
}

function largestChange(a: KanModel, b: KanModel) {
  const before = evaluateKan(a, inputs).data, after = evaluateKan(b, inputs).data;
  return Math.max(...before.map((value, i) => Math.abs(value - after[i]!)));
}

Deno.test("scores of a linear network are shares of standard deviations", () => {
  const model = linearModel([3, 2, 1], [[3, 0, 0, 1, 0, 1], [2, 0.5]]);
  const [first, second, third] = [0, 1, 2].map((index) => {
    const values = column(index), mean = values.reduce((sum, x) => sum + x, 0) / 200;
    return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 199);
  }) as [number, number, number];
  const hidden2 = evaluateKan({ layers: model.layers.slice(0, 1) }, inputs).data
    .filter((_, at) => at % 2 === 1);
  const mean2 = hidden2.reduce((sum, x) => sum + x, 0) / 200;
  const spread2 = Math.sqrt(hidden2.reduce((sum, x) => sum + (x - mean2) ** 2, 0) / 199);
  const outputs = evaluateKan(model, inputs).data;
  const mean = outputs.reduce((sum, x) => sum + x, 0) / 200;
  const spread = Math.sqrt(outputs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 199);
  const scores = attributeKan(model, inputs);
  const expected = [6 * first / (spread + 1e-4), 0.5 * spread2 / (spread + 1e-4)];
  expected.forEach((score, node) => {
    assert.ok(Math.abs(scores.layers[0]!.nodes[node]! - score) < 1e-12);
    assert.ok(Math.abs(scores.layers[1]!.edges[node]! - score) < 1e-12);
  });
  const shares = [second, third].map((each) => expected[1]! * each / (spread2 + 1e-4));
  assert.ok(Math.abs(scores.inputs[1]! - shares[0]!) < 1e-12);
  assert.ok(Math.abs(scores.inputs[2]! - shares[1]!) < 1e-12);
  assert.deepEqual([...scores.layers[1]!.nodes], [1]);
});

Deno.test("factors of a product have its score", () => {
  const model = linearModel([3, { sums: 0, products: [2] }, 1], [[1, 0, 0, 1, 0, 0], [1]]);
  const scores = attributeKan(model, inputs);
  assert.ok(Math.abs(scores.inputs[0]! - 1) < 1e-3 && Math.abs(scores.inputs[1]! - 1) < 1e-3);
  assert.equal(scores.inputs[2], 0);
});

Deno.test("pruning removes what does not matter and changes the outputs little", () => {
  // Node 1 is hardly used; node 2 has no input worth the name.
  const slopes = [[1, 1, 1e-7, 2, 1, 0, 0, 1e-3, 0], [1, 1e-4, 1]];
  const model = linearModel([3, 3, 1], slopes);
  const pruned = pruneKan(model, inputs);
  assert.equal(pruned.layers[0]!.outputDim, 1);
  assert.deepEqual([...pruned.layers[0]!.mask], [1, 1, 0]);
  assert.ok(largestChange(model, pruned) < 1e-3);
});

Deno.test("the mean of a removed edge goes to another edge of the sum", () => {
  const model = createKanModel({ widths: [3, 1], noiseScale: 0.1, random: createRandom(1) });
  model.layers[0]!.coefficients.fill(5, 6, 12); // the curve of input 1 is the constant 5
  model.layers[0]!.baseWeights[1] = 0;
  const smaller = removeEdge(model, inputs, { layer: 0, input: 1, output: 0 });
  assert.ok(largestChange(model, smaller) < 1e-12);
  const symbolic = fixSymbolic(model, inputs, { layer: 0, input: 0, output: 0 }, "x");
  const fixed = removeEdge(symbolic, inputs, { layer: 0, input: 1, output: 0 });
  assert.ok(largestChange(symbolic, fixed) < 1e-12);
  assert.throws(() => removeEdge(model, inputs, { layer: 1, input: 0, output: 0 }), /no edge/);
});

Deno.test("products are pruned with their factors", () => {
  const widths = [3, { sums: 1, products: [2, 2] }, 1] as const;
  const slopes = [[1, 1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1], [1, 1e-6, 0.7]];
  const model = linearModel(widths, slopes);
  const pruned = pruneKan(model, inputs, { edgeThreshold: 0 });
  assert.deepEqual(pruned.layers[0]!.products, [2]);
  assert.equal(pruned.layers[0]!.outputDim, 3);
  assert.ok(largestChange(model, pruned) < 1e-5);
});

Deno.test("inputs without influence go, the best stays", () => {
  const model = linearModel([3, 1], [[1, 1e-5, 2]]);
  const { model: pruned, kept } = pruneInputs(model, inputs);
  assert.deepEqual(kept, [0, 2]);
  assert.equal(pruned.layers[0]!.inputDim, 2);
  assert.deepEqual(pruneInputs(model, inputs, 100).kept, [2]);
  assert.throws(() => pruneInputs(model, samplesFrom([[0, 0, 0]])), /at least 2 samples/);
});

Deno.test("a model of nothing but constants keeps one node and one edge", () => {
  const model = createKanModel({ widths: [3, 4, 1], initialization: "zero", random });
  const pruned = pruneKan(model, inputs);
  assert.equal(pruned.layers[0]!.outputDim, 1);
  assert.equal(pruned.layers[1]!.mask.reduce((sum, each) => sum + each, 0), 1);
});

Deno.test("a pruned model trains on, is refined and trains on again", async () => {
  const targets = {
    rows: 200,
    columns: 1,
    data: column(0).map((x, row) => Math.sin(2 * x) + inputs.data[3 * row + 1]! ** 2),
  };
  const data = { inputs, targets };
  const start = createKanModel({ widths: [3, 3, 1], random: createRandom(2) });
  const sparse = await fitKan(start, data, { steps: 150, regularization: { lambda: 1e-2 } });
  const pruned = pruneKan(sparse.model, inputs);
  const living = (model: KanModel) => model.layers.map(({ mask }) => [...mask]);
  const count = (model: KanModel) => living(model).flat().filter((mask) => mask === 1).length;
  assert.ok(count(pruned) < count(start) / 2);
  const trained = await fitKan(pruned, data, { steps: 40 });
  const refined = refineKan(trained.model, 6);
  const again = await fitKan(refined, data, { steps: 40 });
  assert.deepEqual(living(again.model), living(pruned));
  assert.ok(trained.history.at(-1)!.loss < 1e-3, `${trained.history.at(-1)!.loss}`);
  assert.ok(again.history.at(-1)!.loss < trained.history.at(-1)!.loss);
});
