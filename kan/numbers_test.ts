import assert from "node:assert";
import * as bases from "./bases/mod.ts";
import * as growing from "./growing/mod.ts";
import * as layers from "./layers/mod.ts";
import * as networks from "./mod.ts";
import * as optimizers from "./optimizers/mod.ts";
import * as edges from "./plots/edge.ts";
import * as curves from "./plots/edge_curve.ts";
import * as plots from "./plots/network.ts";
import * as pruning from "./pruning/mod.ts";
import * as symbolic from "./symbolic/mod.ts";

const kan = {
  ...bases,
  ...curves,
  ...growing,
  ...edges,
  ...layers,
  ...networks,
  ...optimizers,
  ...plots,
  ...pruning,
  ...symbolic,
};

const random = kan.createRandom(0);
const model = kan.createKanModel({ widths: [2, 1], random });
const inputs = kan.samplesFrom([[0.1, 0.4], [0.7, -0.2], [-0.5, 0.3]]);
const targets = kan.samplesFrom([[1], [2], [3]]);
const data = { inputs, targets };
const at = { layer: 0, input: 0, output: 0 };
const form = { name: "x", inputScale: 1, inputShift: 0, outputScale: 1, outputShift: 0 };

/** The samples with one value replaced. */
function spoiled(samples: networks.Samples, value: number): networks.Samples {
  return { ...samples, data: samples.data.with(1, value) };
}

function spoiledModel(value: number): networks.KanModel {
  const [layer] = model.layers;
  return { layers: [{ ...layer!, coefficients: layer!.coefficients.with(3, value) }] };
}

const noLoss = () => kan.evaluateObjective(model, data, "huber" as "mse");

/** Everything that is given a model and samples. */
const withSamples: Record<string, (model: networks.KanModel, inputs: networks.Samples) => unknown> =
  {
    evaluateKan: kan.evaluateKan,
    jacobianOf: kan.jacobianOf,
    evaluateObjective: (model, inputs) => kan.evaluateObjective(model, { inputs, targets }, "mse"),
    attributeKan: kan.attributeKan,
    updateGrids: kan.updateGrids,
    refineKan: (model, inputs) => kan.refineKan(model, 4, inputs),
    pruneKan: kan.pruneKan,
    pruneInputs: kan.pruneInputs,
    removeEdge: (model, inputs) => kan.removeEdge(model, inputs, at),
    suggestSymbolic: (model, inputs) => kan.suggestSymbolic(model, inputs, at),
    fixSymbolic: (model, inputs) => kan.fixSymbolic(model, inputs, at, "x"),
    autoSymbolic: (model, inputs) => kan.autoSymbolic(model, inputs),
    edgeCurve: (model, inputs) => kan.edgeCurve(model, inputs, at),
    plotEdge: (model, inputs) => kan.plotEdge(model, inputs, at),
    edgeFigure: (model, inputs) => kan.edgeFigure(model, inputs, at),
    plotNetwork: kan.plotNetwork,
    networkFigure: kan.networkFigure,
    fitKan: (model, inputs) => kan.fitKan(model, { inputs, targets }, { steps: 0 }),
    "fitKan, validation": (model, inputs) =>
      kan.fitKan(model, data, { validation: { inputs, targets } }),
  };
for (const [name, use] of Object.entries(withSamples)) {
  Deno.test(`${name} refuses samples and models that are not finite, by name`, async () => {
    await use(model, inputs);
    for (const value of [NaN, Infinity]) {
      const refuses = (message: RegExp, work: () => unknown) =>
        assert.rejects(async () => await work(), (error) => {
          assert.ok(error instanceof RangeError && message.test(error.message), `${error}`);
          return true;
        });
      await refuses(
        /inputs are not all finite: row 0, column 1 is (NaN|Infinity)/,
        () => use(model, spoiled(inputs, value)),
      );
      if (name.includes("validation")) continue;
      await refuses(
        /coefficients of layer 0 must be finite, but value 3/,
        () => use(spoiledModel(value), inputs),
      );
    }
  });
}

/** Wrong numbers of everything else, and what the error must name. */
const wrong: readonly (readonly [RegExp, () => unknown])[] = [
  ...[NaN, 0, 1.5, Infinity].flatMap((value): [RegExp, () => unknown][] => [
    [/^intervals/, () => kan.uniformGrid({ intervals: value })],
    [/^intervals/, () => kan.refineKan(model, value)],
    [/^batchSize/, () => kan.fitKan(model, data, { batchSize: value })],
    [
      /^gridUpdate.every/,
      () => kan.fitKan(model, data, { gridUpdate: { every: value, until: 9 } }),
    ],
    [/^frequencies/, () => kan.createFourier(value)],
    [/^count/, () => kan.createGaussians({ count: value })],
    [/^units/, () => kan.createKanDense({ units: value })],
    [/^inputDim/, () => kan.createKanDense({ units: 1, inputDim: value })],
    [/^widths/, () => kan.createKanModel({ widths: [value, 1], random })],
    [/^widths/, () => kan.createKanModel({ widths: [1, value], random })],
    [/^points/, () => kan.edgeCurve(model, inputs, at, value)],
    [/^bound/, () => random.integer(value)],
  ]),
  ...[NaN, -1, 0.5].flatMap((value): [RegExp, () => unknown][] => [
    [/^steps/, () => kan.fitKan(model, data, { steps: value })],
    [/^patience/, () => kan.fitKan(model, data, { patience: value })],
    [
      /^gridUpdate.until/,
      () => kan.fitKan(model, data, { gridUpdate: { every: 1, until: value } }),
    ],
    [/^order/, () => kan.uniformGrid({ intervals: 3, order: value })],
    [/^order/, () => kan.gridFromBreaks([0, 1], value)],
    [/^order/, () => kan.gridFromKnots([0, 1], value)],
    [/^degree/, () => kan.createChebyshev(value)],
    [/^degree/, () => kan.createRationals({ degree: value })],
    [/^decimals/, () => kan.formulaOf(model, { decimals: value })],
    [/^derivative/, () => kan.bsplineBasis(kan.uniformGrid({ intervals: 2 }), 0, value)],
  ]),
  ...[NaN, Infinity, -1].flatMap((value): [RegExp, () => unknown][] => [
    [/^learningRate/, () => kan.fitKan(model, data, { learningRate: value })],
    [
      /^learningRate/,
      () => kan.stepAdam(Float64Array.of(1), Float64Array.of(1), { learningRate: value }),
    ],
    ...(["lambda", "l1", "entropy"] as const).flatMap((name): [RegExp, () => unknown][] => {
      const regularization = { lambda: 1, [name]: value };
      return [
        [new RegExp(`^regularization.${name}`), () => kan.fitKan(model, data, { regularization })],
        [
          new RegExp(`^regularization.${name}`),
          () => kan.evaluateObjective(model, data, "mse", regularization),
        ],
      ];
    }),
    [/^nodeThreshold/, () => kan.pruneKan(model, inputs, { nodeThreshold: value })],
    [/^edgeThreshold/, () => kan.pruneKan(model, inputs, { edgeThreshold: value })],
    [/^threshold/, () => kan.pruneInputs(model, inputs, value)],
    [/^noiseScale/, () => kan.createKanModel({ widths: [1, 1], noiseScale: value, random })],
    [/^ridge/, () => kan.solveLeastSquares(inputs, targets, value)],
    [/^contrast/, () => kan.plotNetwork(model, inputs, { contrast: value })],
    [/^uniformShare/, () => kan.updateGrids(model, inputs, value)],
    [/^simplicity/, () => kan.autoSymbolic(model, inputs, { simplicity: value })],
    [/^leastR2/, () => kan.autoSymbolic(model, inputs, { leastR2: value })],
    [/^period/, () => kan.createFourier(1, value)],
    [/^width/, () => kan.createMexicanHats({ width: value })],
  ]),
  ...[NaN, Infinity].flatMap((value): [RegExp, () => unknown][] => [
    [/^range/, () => kan.uniformGrid({ intervals: 3, range: [0, value] })],
    [/^range/, () => kan.createGaussians({ range: [value, 0] })],
    [/^breaks/, () => kan.gridFromBreaks([0, value, 2], 1)],
    [/^knots/, () => kan.gridFromKnots([0, 1, value], 0)],
    [/^denominator/, () => kan.createRationals({ denominator: [value] })],
    [/^the samples/, () => kan.samplesFrom([[0, value]])],
    [/^samples/, () => kan.gridFromSamples(kan.uniformGrid({ intervals: 2 }), [value])],
    [/^the design/, () => kan.solveLeastSquares(spoiled(inputs, value), targets)],
    [/^the targets/, () => kan.solveLeastSquares(inputs, spoiled(targets, value))],
    [/^the targets/, () => kan.fitKan(model, { inputs, targets: spoiled(targets, value) })],
    [/^x must/, () => kan.suggestForCurve(Float64Array.of(0, value), Float64Array.of(1, 2))],
    [/^y must/, () => kan.suggestForCurve(Float64Array.of(1, 2), Float64Array.of(0, value))],
    [/^inputShift/, () => kan.fixSymbolic(model, inputs, at, { ...form, inputShift: value })],
    [
      /^gradient/,
      () => kan.stepAdam(Float64Array.of(1), Float64Array.of(value), { learningRate: 1 }),
    ],
    [/^the first moments/, () => {
      const state = { step: 1, first: Float64Array.of(value), second: Float64Array.of(1) };
      return kan.stepAdam(Float64Array.of(1), Float64Array.of(1), { learningRate: 1 }, state);
    }],
    [/^beta1/, () => kan.stepAdam(targets.data, targets.data, { learningRate: 1, beta1: value })],
    [/^the value of the objective/, () => {
      const evaluation = { value, gradient: Float64Array.of(1) };
      return new kan.Lbfgs().step(() => evaluation, Float64Array.of(1), evaluation);
    }],
    [/^coefficients of layer 0/, () => kan.encodeKan(spoiledModel(value))],
    [/^coefficients of layer 0/, () => kan.formulaOf(spoiledModel(value))],
    [/^coefficients of layer 0/, () => kan.Kan.fromModel(spoiledModel(value))],
    [/^coefficients of layer 0/, () => kan.KanLayer.fromModel(spoiledModel(value).layers[0]!)],
    [/^parameters/, () => kan.withParameters(model, kan.parametersOf(model).fill(value))],
    [/^seed/, () => kan.createRandom(value)],
    [/^seed/, () => kan.createKanDense({ units: 1, seed: value })],
  ]),
  [/^loss must be one of mse, mae, crossEntropy/, noLoss],
  [
    /^grid must be an object with some of intervals, order, range, got 5/,
    () => kan.createKanModel({ widths: [1, 1], grid: 5 as unknown as object, random }),
  ],
  [
    /^grid has no option "size"; there are: intervals/,
    () => kan.createKanModel({ widths: [1, 1], grid: { size: 5 } as object, random }),
  ],
  [
    /^createKanModel has no option "width"; there are: widths/,
    () => kan.createKanModel({ width: [1, 1], random } as unknown as networks.KanModelOptions),
  ],
  [/^widths needs/, () => kan.createKanModel({ random } as unknown as networks.KanModelOptions)],
  [
    /^a layer of widths must be an object with some of sums, products, got 2,1/,
    () => kan.createKanModel({ widths: [2, [2, 1], 1] as unknown as number[], random }),
  ],
  [
    /^base must be one of silu, identity, none, got "relu"/,
    () => kan.createKanModel({ widths: [1, 1], base: "relu" as "silu", random }),
  ],
  [
    /^initialization must be one of pykan/,
    () => kan.createKanModel({ widths: [1, 1], initialization: "xavier" as "zero", random }),
  ],
  [
    /^fitKan has no option "lamb"; there are: optimizer/,
    () => kan.fitKan(model, data, { lamb: 0.1 } as networks.FitOptions),
  ],
  [
    /^gridUpdate has no option "stop"; there are: every/,
    () => kan.fitKan(model, data, { gridUpdate: { stop: 1 } as networks.GridUpdateOptions }),
  ],
  [/^regularization has no option "l2"; there are: lambda/, () =>
    kan.fitKan(model, data, {
      regularization: { lambda: 1, l2: 1 } as networks.Regularization,
    })],
  [
    /^formulaOf has no option "digits"; there are: inputNames/,
    () => kan.formulaOf(model, { digits: 2 } as object),
  ],
  [
    /^fitKan must be an object/,
    () => kan.fitKan(model, data, 20 as unknown as networks.FitOptions),
  ],
  ...[NaN, 0, 1.5].map((value): [RegExp, () => unknown] => [
    /^gridUpdate.samples/,
    () => kan.fitKan(model, data, { gridUpdate: { samples: value } }),
  ]),
  ...[NaN, -1, 1.5].map((value): [RegExp, () => unknown] => [
    /^gridUpdate.start/,
    () => kan.fitKan(model, data, { gridUpdate: { start: value } }),
  ]),
  ...[NaN, -1, 1.5].map((value): [RegExp, () => unknown] => [
    /^gridUpdate.uniformShare/,
    () => kan.fitKan(model, data, { gridUpdate: { uniformShare: value } }),
  ]),
  [/^optimizer/, () => kan.fitKan(model, data, { optimizer: "sgd" as "adam" })],
  [/^engine/, () => kan.fitKan(model, data, { engine: "cuda" as "tfjs" })],
  [
    /^row 0 of the targets are not shares/,
    () =>
      kan.evaluateObjective(kan.createKanModel({ widths: [2, 2], random }), {
        inputs,
        targets: kan.samplesFrom([[2, 0], [1, 0], [1, 0]]),
      }, "crossEntropy"),
  ],
  [
    /at least 2, got 1; binaryCrossEntropy/,
    () => kan.evaluateObjective(model, data, "crossEntropy"),
  ],
  [
    /row 1 of the targets is 2; binary/,
    () => kan.fitKan(model, data, { loss: "binaryCrossEntropy" }),
  ],
  [/^loss must be one of .* or a function/, () => kan.fitKan(model, data, { loss: 3 as never })],
  ...[NaN, 0, -1].map((spread): [RegExp, () => unknown] => {
    const scaling = { inputs: Array(2).fill({ center: 0, spread }), outputs: [] };
    return [/^the spread of scaling.inputs\[0\]/, () => kan.fitKan(model, data, { scaling })];
  }),
  [
    /must have 1 values/,
    () => kan.stepAdam(Float64Array.of(1), Float64Array.of(1, 2), { learningRate: 1 }),
  ],
  [
    /have 3 values for 3 rows of 2 columns/,
    () => kan.evaluateKan(model, { ...inputs, data: targets.data }),
  ],
];

Deno.test("every number that is out of its range is refused by its name", async () => {
  for (const [message, use] of wrong) {
    await assert.rejects(async () => await use(), (error) => {
      assert.ok(error instanceof RangeError && message.test(error.message), `${message}: ${error}`);
      return true;
    });
  }
});
