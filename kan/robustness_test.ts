import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import fc from "fast-check";
import { attributeKan } from "./pruning/attribution.ts";
import type { Extrapolation } from "./bases/basis.ts";
import { createFourier, createGaussians } from "./bases/global_bases.ts";
import { evaluateKan, samplesFrom } from "./engine/evaluate.ts";
import { type DataSet, evaluateObjective } from "./engine/objective.ts";
import { fitKan } from "./fitting/fit.ts";
import { updateGrids } from "./fitting/grid_update.ts";
import { Kan } from "./layers/kan.ts";
import { createKanModel, type KanModel, parametersOf } from "./model/model.ts";
import { pruneKan } from "./pruning/prune.ts";
import { createRandom } from "./numeric/random.ts";
import { refineKan } from "./fitting/refine.ts";
import { decodeKan, encodeKan } from "./model/serialize.ts";
import { fixSymbolic } from "./symbolic/suggest.ts";

/** Inputs of the kinds that break KANs: constant, repeated, outside the grid, one, tiny and huge. */
const hardInputs: fc.Arbitrary<readonly (readonly [number, number])[]> = fc.record({
  kind: fc.constantFrom("random", "constant", "repeated", "one constant input"),
  scale: fc.constantFrom(1e-12, 1e-3, 1, 10, 1e4, 1e8),
  rows: fc.integer({ min: 1, max: 8 }),
  seed: fc.integer(),
}).map(({ kind, scale, rows, seed }) => {
  const random = createRandom(seed);
  const draw = () => scale * (2 * random.uniform() - 1);
  const first = [draw(), draw()] as const, second = [draw(), draw()] as const;
  return Array.from({ length: rows }, (_, row) => {
    if (kind === "constant") return first;
    if (kind === "repeated") return row % 2 === 0 ? first : second;
    return kind === "random" ? [draw(), draw()] as const : [first[0], draw()] as const;
  });
});

const models = fc.record({
  seed: fc.integer(),
  order: fc.integer({ min: 1, max: 4 }),
  intervals: fc.integer({ min: 1, max: 8 }),
  extrapolation: fc.constantFrom<Extrapolation>("clamp", "linear", "zero"),
  products: fc.constantFrom<readonly number[]>([], [2]),
}).map(({ seed, order, intervals, extrapolation, products }) =>
  createKanModel({
    widths: [2, { sums: 1, products }, 1],
    grid: { order, intervals },
    extrapolation,
    random: createRandom(seed),
  })
);

function assertFinite(values: Iterable<number>, what: string): void {
  for (const value of values) assert.ok(Number.isFinite(value), what);
}

/** CI asks for all; by hand a part is enough. */
const hardCases = Deno.env.get("KANPRESS_SLOW") === "1" ? 1000 : 150;

Deno.test(`${hardCases} hard cases: no step of the work gives a number that is not finite`, async () => {
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(models, hardInputs, async (model, rows) => {
      cases++;
      const inputs = samplesFrom(rows);
      const targets = samplesFrom(rows.map(([x, y]) => [Math.tanh(x) + Math.cos(y)]));
      const data: DataSet = { inputs, targets };
      assertFinite(evaluateKan(model, inputs).data, "outputs");
      const { value, gradient } = evaluateObjective(model, data, "mse", { lambda: 0.01 });
      assertFinite([value, ...gradient], "objective");
      const updated = updateGrids(model, inputs);
      assertFinite(evaluateKan(updated, inputs).data, "outputs after a grid update");
      const refined = refineKan(updated, 5, inputs);
      assertFinite(evaluateKan(refined, inputs).data, "outputs after a refinement");
      assertFinite(attributeKan(refined, inputs).inputs, "scores");
      const options = { steps: 2, regularization: { lambda: 0.01 } };
      const trained = await fitKan(model, data, options);
      assertFinite(parametersOf(trained.model), "trained parameters");
      if (rows.length < 2) return;
      assertFinite(evaluateKan(pruneKan(trained.model, inputs), inputs).data, "pruned outputs");
    }),
    { numRuns: hardCases, seed: 1 },
  );
  assert.equal(cases, hardCases);
});

Deno.test("tfjs stays finite where float64 does", async () => {
  await tf.setBackend("wasm");
  fc.assert(
    fc.property(models, hardInputs, (model, rows) => {
      const kan = Kan.fromModel(model);
      const x = tf.tensor2d(rows.flat(), [rows.length, 2]);
      const { value, grads } = tf.variableGrads(
        () => kan.apply(x).square().mean() as tf.Scalar,
        kan.variables,
      );
      // Linear extrapolation of products of 1e8 squares to more than float32 holds.
      const isHuge = rows.flat().some((each) => Math.abs(each) > 1e4);
      if (!isHuge) assertFinite(value.dataSync(), "loss");
      if (!isHuge) {
        for (const gradient of Object.values(grads)) assertFinite(gradient.dataSync(), "");
      }
      tf.dispose([x, value, ...Object.values(grads)]);
      kan.dispose();
    }),
    { numRuns: 200, seed: 2 },
  );
});

function draw(rows: number): DataSet {
  const random = createRandom(9);
  const points = Array.from({ length: rows }, () => [random.normal(), random.normal()]);
  const targets = points.map(([x, y]) => [Math.sin(x!) * y!]);
  return { inputs: samplesFrom(points), targets: samplesFrom(targets) };
}

const create = () => createKanModel({ widths: [2, 3, 1], random: createRandom(4) });

Deno.test("one sample is evaluated as it is in a batch, on both engines", async () => {
  await tf.setBackend("wasm");
  const { inputs } = draw(5);
  const all = evaluateKan(create(), inputs).data;
  const kan = Kan.fromModel(create());
  for (let row = 0; row < 5; row++) {
    const one = inputs.data.slice(2 * row, 2 * row + 2);
    assert.equal(evaluateKan(create(), { rows: 1, columns: 2, data: one }).data[0], all[row]);
    const [value] = kan.apply(tf.tensor2d(Float32Array.from(one), [1, 2])).dataSync();
    assert.ok(Math.abs(value! - all[row]!) < 1e-5);
  }
  kan.dispose();
});

Deno.test("a batch whose inputs are all equal trains", async () => {
  const inputs = samplesFrom(Array.from({ length: 10 }, () => [0.3, 0.3]));
  const targets = samplesFrom(Array.from({ length: 10 }, () => [2]));
  for (const optimizer of ["lbfgs", "adam", "levenberg-marquardt"] as const) {
    const options = { steps: 60, optimizer, learningRate: 0.05 };
    const { model, history } = await fitKan(create(), { inputs, targets }, options);
    assertFinite(parametersOf(model), optimizer);
    assert.ok(history.at(-1)!.loss < 1e-2, `${optimizer} ${history.at(-1)!.loss}`);
  }
});

Deno.test("a copy of a model is a model of its own", async () => {
  const data = draw(50);
  const model = create();
  const copy = decodeKan(encodeKan(model));
  const before = parametersOf(model);
  const kan = Kan.fromModel(copy);
  const loss = () => kan.apply(tf.ones([2, 2])).square().mean() as tf.Scalar;
  tf.train.sgd(0.1).minimize(loss, false, kan.variables);
  kan.dispose();
  await fitKan(copy, data, { steps: 3 });
  assert.deepEqual(parametersOf(model), before);
  assert.deepEqual(parametersOf(copy), before);
});

Deno.test("a model with symbolic edges is saved, loaded and trained on", async () => {
  const data = draw(50);
  const at = { layer: 0, input: 0, output: 1 };
  const fixed = fixSymbolic(create(), data.inputs, at, "sin");
  const loaded = decodeKan(encodeKan(fixed));
  const outputs = (model: KanModel) => evaluateKan(model, data.inputs).data;
  assert.deepEqual(outputs(loaded), outputs(fixed));
  const [one, two] = await Promise.all(
    [fixed, loaded].map((each) => fitKan(each, data, { steps: 5 })),
  );
  assert.deepEqual(outputs(one!.model), outputs(two!.model));
});

Deno.test("a model can be cloned and sent to a worker, and goes on working", async () => {
  const model = createKanModel({
    widths: [2, { sums: 1, products: [2] }, 1],
    random: createRandom(3),
  });
  const bases = [createFourier(2), createGaussians()];
  const models = [
    model,
    ...bases.map((basis) => createKanModel({ widths: [2, 1], basis, random: createRandom(4) })),
  ];
  const data = { inputs: samplesFrom([[0.1, 0.9], [-0.4, 0.2]]), targets: samplesFrom([[1], [2]]) };
  for (const original of models) {
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise<KanModel>((resolve) => {
      port2.onmessage = ({ data }) => resolve(data);
    });
    port1.postMessage(original);
    const copy = await arrived;
    port1.close();
    port2.close();
    assert.deepEqual(copy, structuredClone(original));
    assert.deepEqual(evaluateKan(copy, data.inputs), evaluateKan(original, data.inputs));
    const [one, two] = [
      await fitKan(original, data, { steps: 3 }),
      await fitKan(copy, data, {
        steps: 3,
      }),
    ];
    assert.deepEqual(parametersOf(two.model), parametersOf(one.model));
  }
});
