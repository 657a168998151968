import assert from "node:assert";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { fitKan } from "../fitting/fit.ts";
import { createKanModel } from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";
import { suggestForCurve, type Suggestion } from "./fit_curve.ts";
import { symbolicFunction } from "../model/symbolic_functions.ts";
import { autoSymbolic, fixSymbolic, releaseSymbolic, suggestSymbolic } from "./suggest.ts";

const x = Float64Array.from({ length: 80 }, (_, i) => -1 + i / 40);

const curves: [string, (x: number) => number][] = [
  ["x", (x) => 3 * x - 1],
  ["x^2", (x) => -2 * x * x + 0.3],
  ["x^3", (x) => (1.5 * x + 0.4) ** 3],
  ["1/x", (x) => 2 / (x + 1.5)],
  ["sqrt", (x) => Math.sqrt(2 * x + 2.5)],
  ["exp", (x) => 0.2 * Math.exp(2.2 * x)],
  ["log", (x) => Math.log(1.7 * x + 1.9)],
  ["abs", (x) => Math.abs(2 * x - 0.4)],
  ["sin", (x) => 0.7 * Math.sin(4 * x + 1) + 2],
  ["tanh", (x) => Math.tanh(3 * x)],
  ["gaussian", (x) => Math.exp(-((2.5 * x) ** 2))],
];
for (const [name, curve] of curves) {
  Deno.test(`${name} is told from the whole library`, () => {
    const [best] = suggestForCurve(x, x.map(curve));
    assert.ok(best!.r2 > 1 - 1e-9, `${best!.r2}`);
    // cos and sin are the same family.
    assert.equal(best!.edge.name.replace("cos", "sin"), name);
  });
}

Deno.test("the score is .8 complexity + .2 log2(1 + 1e-5 - r2), lowest first", () => {
  const suggestions = suggestForCurve(x, x.map((each) => Math.exp(each)));
  suggestions.forEach(({ score, complexity, r2, edge }, i) => {
    assert.equal(complexity, symbolicFunction(edge.name).complexity);
    assert.ok(Math.abs(score - (0.8 * complexity + 0.2 * Math.log2(1 + 1e-5 - r2))) < 1e-12);
    if (i > 0) assert.ok(score >= suggestions[i - 1]!.score);
  });
});

Deno.test("constant curves and two samples give finite suggestions", () => {
  for (const [points, values] of [[x, x.map(() => 2)], [x.slice(0, 2), x.slice(0, 2)]] as const) {
    for (const { edge, r2, score } of suggestForCurve(points, values)) {
      const { name: _, ...numbers } = edge;
      assert.ok([r2, score, ...Object.values(numbers)].every(Number.isFinite));
    }
  }
  assert.throws(() => suggestForCurve(x.slice(0, 1), x.slice(0, 1)), /at least 2/);
});

const inputs = samplesFrom(Array.from(x, (each, i) => [each, Math.cos(7 * i)]));
const at = { layer: 0, input: 1, output: 0 };

async function fitted() {
  const data = inputs.data.filter((_, i) => i % 2 === 0).map((each, row) => {
    return Math.sin(2 * each) + inputs.data[2 * row + 1]! ** 2;
  });
  const model = createKanModel({ widths: [2, 1], grid: { intervals: 8 }, random: createRandom(0) });
  const targets = { rows: data.length, columns: 1, data };
  const options = { steps: 20, optimizer: "levenberg-marquardt" } as const;
  return { model: (await fitKan(model, { inputs, targets }, options)).model, targets };
}

Deno.test("fixing keeps the outputs, training goes on, releasing gives the spline back", async () => {
  const { model, targets } = await fitted();
  assert.equal(suggestSymbolic(model, inputs, at)[0]!.edge.name, "x^2");
  const fixed = fixSymbolic(model, inputs, at, "x^2");
  const before = evaluateKan(model, inputs).data, after = evaluateKan(fixed, inputs).data;
  before.forEach((value, i) => assert.ok(Math.abs(value - after[i]!) < 0.02));
  const trained = await fitKan(fixed, { inputs, targets }, { steps: 10, gridUpdate: false });
  assert.ok(trained.history.at(-1)!.loss < 1e-4);
  assert.ok(trained.model.layers[0]!.symbolic.has(1));
  assert.deepEqual(releaseSymbolic(fixed, at), model);
  assert.equal(releaseSymbolic(model, at), model);
});

Deno.test("autoSymbolic() leaves edges that nothing explains well enough", async () => {
  const { model } = await fitted();
  const some = autoSymbolic(model, inputs, { functions: ["x"], leastR2: 0.99 });
  assert.deepEqual(some.choices.map(({ fixed }) => fixed), [false, false]);
  assert.deepEqual(some.model, model);
  const all = autoSymbolic(model, inputs);
  assert.deepEqual(all.choices.map(({ suggestion }) => suggestion.edge.name), ["sin", "x^2"]);
  assert.deepEqual([...all.model.layers[0]!.mask], [0, 0]);
});

Deno.test("edges and functions that do not exist are refused", async () => {
  const { model } = await fitted();
  assert.throws(() => suggestSymbolic(model, inputs, { ...at, input: 2 }), /no edge from input 2/);
  assert.throws(() => fixSymbolic(model, inputs, at, "cotangent"), /no function/);
});

/** Functions that fit only as the first terms of their Taylor series, or hardly. */
const strangers: [string, (x: number) => number, string[], number][] = [
  ["2 x + 1", (x) => 2 * x + 1, ["x^2", "sin", "exp"], 5e-3],
  ["x^2", (x) => x * x, ["cos"], 5e-3],
  ["exp(2 x)", (x) => Math.exp(2 * x), ["tanh"], 5e-2],
];
for (const [what, curve, functions, error] of strangers) {
  Deno.test(`${what} by ${functions} alone is fitted as far as numbers do not cancel`, () => {
    const y = x.map(curve);
    const [{ edge, r2 }] = suggestForCurve(x, y, { functions }) as [Suggestion];
    const { value } = symbolicFunction(edge.name);
    const outputs = x.map((each) => {
      return edge.outputScale * value(edge.inputScale * each + edge.inputShift) + edge.outputShift;
    });
    const squares = outputs.reduce((sum, output, i) => sum + (output - y[i]!) ** 2, 0);
    assert.ok(r2 > 0.99 && Math.sqrt(squares / x.length) < error, `${r2} ${edge.name}`);
    assert.ok(Math.abs(edge.outputScale) <= 30 * (Math.max(...y) - Math.min(...y)));
  });
}

Deno.test("an edge that no function explains stays as it is, and is said to", async () => {
  const wave = x.map((each) => each ** 2 * Math.sin(9 * each));
  const data = {
    inputs: samplesFrom(Array.from(x, (each) => [each])),
    targets: samplesFrom(Array.from(wave, (each) => [each])),
  };
  const start = createKanModel({ widths: [1, 1], grid: { intervals: 8 }, random: createRandom(0) });
  const { model } = await fitKan(start, data, { steps: 20 });
  const { model: same, choices } = autoSymbolic(model, data.inputs, { functions: ["0"] });
  assert.deepEqual(choices.map(({ fixed, suggestion }) => [fixed, suggestion.r2]), [[false, 0]]);
  assert.deepEqual(same, model);
});

Deno.test("what explains nothing is suggested last, however simple", () => {
  const [best, last] = suggestForCurve(x, x.map((each) => Math.abs(each) - 0.5), {
    functions: ["0", "abs"],
  });
  assert.deepEqual([best!.edge.name, last!.edge.name, last!.r2], ["abs", "0", 0]);
});
