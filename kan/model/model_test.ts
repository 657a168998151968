import assert from "node:assert";
import { createKanModel, parameterCount, parametersOf, withParameters } from "./model.ts";
import { nodeCount } from "./layer_model.ts";
import { createRandom } from "../numeric/random.ts";

Deno.test("[784, 64, 10] with G = 5 has the 508,160 parameters of efficient-kan", () => {
  const grid = { intervals: 5, order: 3 };
  const initialization = "efficient-kan";
  const random = createRandom(0);
  const model = createKanModel({ widths: [784, 64, 10], grid, initialization, random });
  assert.equal(parameterCount(model), 508_160);
});

Deno.test("multiplication nodes are counted once and fed by their factors", () => {
  const model = createKanModel({
    widths: [3, { sums: 2, products: [2, 3] }, 1],
    random: createRandom(0),
  });
  const [first, second] = model.layers;
  assert.equal(first!.outputDim, 7);
  assert.equal(nodeCount(first!), 4);
  assert.equal(second!.inputDim, 4);
});

Deno.test("withParameters() copies, so that models share no trained arrays", () => {
  const model = createKanModel({ widths: [2, 2, 1], random: createRandom(0) });
  const parameters = parametersOf(model);
  const copy = withParameters(model, parameters);
  assert.deepEqual(copy, model);
  parameters.fill(0);
  copy.layers[0]!.coefficients.fill(1);
  assert.ok(model.layers[0]!.coefficients.every((value) => value !== 1));
  assert.throws(() => withParameters(model, parameters.slice(1)), /parameters, got/);
});

Deno.test("impossible widths are refused", () => {
  const random = createRandom(0);
  assert.throws(() => createKanModel({ widths: [2], random }), /at least one layer/);
  assert.throws(() => createKanModel({ widths: [2, 0], random }), /widths/);
  const widths = [2, { sums: 1, products: [1] }] as const;
  assert.throws(() => createKanModel({ widths, random }), /products/);
});

Deno.test("widths are numbers, of which a list will do, or sums with or without products", () => {
  const widths = [2, 3, 1];
  const plain = createKanModel({ widths, random: createRandom(0) });
  const sums = createKanModel({ widths: [2, { sums: 3 }, 1], random: createRandom(0) });
  assert.deepEqual(sums, plain);
});
