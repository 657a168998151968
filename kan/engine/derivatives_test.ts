import assert from "node:assert";
import { createChebyshev } from "../bases/global_bases.ts";
import {
  createKanModel,
  type KanModel,
  parameterCount,
  parametersOf,
  withParameters,
} from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";
import { backwardDerivatives, differentiateKan, traceDerivatives } from "./derivatives.ts";
import { evaluateKan, samplesFrom } from "./evaluate.ts";

const plain = createKanModel({
  widths: [2, 3, 2],
  grid: { intervals: 4, order: 5 },
  random: createRandom(1),
});
const products = createKanModel({
  widths: [2, { sums: 1, products: [2, 3] }, 1],
  grid: { intervals: 4, order: 5, range: [-3, 3] },
  random: createRandom(2),
});
const [first, second] = plain.layers;
const form = (name: string) => {
  return { name, inputScale: 1.3, inputShift: 0.2, outputScale: -0.7, outputShift: 0.4 };
};
const symbolic: KanModel = {
  layers: [{
    ...first!,
    mask: first!.mask.with(1, 0).with(4, 0).with(5, 0),
    symbolic: new Map([[1, form("sin")], [5, form("x^3")]]),
  }, second!],
};
const cases: Record<string, KanModel> = {
  "two layers": plain,
  "products": products,
  "symbolic edges": symbolic,
  "another basis": createKanModel({
    widths: [2, 2, 1],
    basis: createChebyshev(4),
    base: "identity",
    random: createRandom(3),
  }),
  "scaled columns": {
    ...plain,
    scaling: {
      inputs: [{ center: 3, spread: 20 }, { center: -1, spread: 0.5 }],
      outputs: [{ center: 7, spread: 3 }, { center: 0, spread: 0.1 }],
    },
  },
};
const points = samplesFrom([[0.31, -0.42], [-0.67, 0.13], [0.05, 0.71]]);

for (const [name, model] of Object.entries(cases)) {
  Deno.test(`${name}: derivatives are those of differences`, () => {
    const directions = [[1, 0], [0.6, -0.3]];
    const { values, first, second } = differentiateKan(model, points, directions);
    evaluateKan(model, points).data.forEach((value, i) => {
      assert.ok(Math.abs(values[i]! - value) < 1e-14);
    });
    const step = 1e-3;
    directions.forEach((direction, d) => {
      const at = (k: number) =>
        evaluateKan(model, {
          ...points,
          data: points.data.map((x, i) => x + k * step * direction[i % 2]!),
        }).data;
      const [far, near, center, back, back2] = [2, 1, 0, -1, -2].map(at) as Float64Array[];
      center!.forEach((value, i) => {
        const slope = (8 * (near![i]! - back![i]!) - (far![i]! - back2![i]!)) / (12 * step);
        const bend = (16 * (near![i]! + back![i]!) - (far![i]! + back2![i]!) - 30 * value) /
          (12 * step * step);
        assert.ok(Math.abs(first[d]![i]! - slope) < 1e-8, `first ${first[d]![i]} ${slope}`);
        assert.ok(Math.abs(second[d]![i]! - bend) < 1e-6, `second ${second[d]![i]} ${bend}`);
      });
    });
  });

  Deno.test(`${name}: the gradient of derivatives agrees with differences`, () => {
    const directions = [[1, 0], [0, 1]];
    const random = createRandom(4);
    const start = differentiateKan(model, points);
    const draw = (like: Float64Array) => like.map(() => random.normal());
    const upstream = {
      values: draw(start.values),
      first: start.first.map(draw),
      second: start.second.map(draw),
    };
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const value = (parameters: Float64Array) => {
      const found = differentiateKan(withParameters(model, parameters), points);
      return dot(found.values, upstream.values) +
        directions.reduce((sum, _, d) =>
          sum + dot(found.first[d]!, upstream.first[d]!) +
          dot(found.second[d]!, upstream.second[d]!), 0);
    };
    const trace = traceDerivatives(model, points, directions);
    const gradient = backwardDerivatives(model, trace, upstream);
    const parameters = parametersOf(model);
    assert.equal(gradient.length, parameterCount(model));
    parameters.forEach((parameter, i) => {
      const step = 1e-5;
      const difference = (value(parameters.with(i, parameter + step)) -
        value(parameters.with(i, parameter - step))) / (2 * step);
      const error = Math.abs(gradient[i]! - difference);
      assert.ok(error < 2e-5 * (1 + Math.abs(difference)), `${i}: ${gradient[i]} ${difference}`);
    });
  });
}

Deno.test("directions must have a number for each input", () => {
  assert.throws(() => differentiateKan(plain, points, [[1]]), /number of values of a direction/);
});
