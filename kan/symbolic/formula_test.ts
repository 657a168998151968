import { evaluate } from "mathjs";
import assert from "node:assert";
import { evaluateKan, samplesFrom } from "../engine/evaluate.ts";
import { createKanModel, type KanModel } from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";
import { formulaOf } from "./formula.ts";
import { type SymbolicEdge, symbolicFunctions } from "../model/symbolic_functions.ts";
import { fixSymbolic } from "./suggest.ts";

const nothing = samplesFrom([]);
const form = (name: string, a = 1, b = 0, c = 1, d = 0): SymbolicEdge => {
  return { name, inputScale: a, inputShift: b, outputScale: c, outputShift: d };
};

/** A model with every edge fixed by `edge`. */
function fixAll(
  model: KanModel,
  edge: (layer: number, input: number, output: number) => SymbolicEdge,
) {
  let fixed = model;
  model.layers.forEach((layer, l) => {
    for (let input = 0; input < layer.inputDim; input++) {
      for (let output = 0; output < layer.outputDim; output++) {
        const at = { layer: l, input, output };
        fixed = fixSymbolic(fixed, nothing, at, edge(l, input, output));
      }
    }
  });
  return fixed;
}

function textOf(model: KanModel, options = {}) {
  return formulaOf(model, options)[0]!.text;
}

const one = createKanModel({ widths: [1, 1], random: createRandom(0) });
const single = (edge: SymbolicEdge) => textOf(fixAll(one, () => edge));

Deno.test("numbers are collected, phases turned and ones dropped", () => {
  assert.equal(single(form("x", 2, 1, 3, 4)), "6 * x_1 + 7");
  assert.equal(single(form("x^2", -2, 0, 0.25)), "x_1 ^ 2");
  assert.equal(single(form("sin", -Math.PI, Math.PI, 2)), "2 * sin(3.1416 * x_1)");
  assert.equal(single(form("exp", 2, 1, Math.exp(-1))), "exp(2 * x_1)");
  assert.equal(single(form("1/x", 0.5, 0, 1)), "2 / x_1");
  assert.equal(single(form("0", 1, 0, 5, 2)), "2");
  assert.equal(single(form("x", 1e-7, 0, 1, 3)), "3");
});

Deno.test("hello-KAN in its own words", () => {
  const hidden = createKanModel({ widths: [2, 1, 1], random: createRandom(0) });
  const forms = [form("sin", Math.PI), form("x^2"), form("exp")];
  const model = fixAll(hidden, (layer, input) => forms[2 * layer + input]!);
  const [formula] = formulaOf(model);
  assert.equal(formula!.text, "exp(sin(3.1416 * x_1) + x_2 ^ 2)");
  assert.equal(
    formula!.latex,
    String.raw`\exp\left(\sin\left(3.1416\cdot x_{1}\right)+{ x_{2}}^{2}\right)`,
  );
  assert.match(
    textOf(model, { inputNames: ["t", "speed"], decimals: 1 }),
    /sin\(3.1 \* t\) \+ speed/,
  );
});

Deno.test("multiplication nodes are products", () => {
  const widths = [2, { sums: 0, products: [2] }, 1] as const;
  const model = createKanModel({ widths, random: createRandom(0) });
  const product = fixAll(model, (layer, input, output) => {
    return layer === 1 ? form("x") : form(input === output ? "x" : "0");
  });
  assert.equal(textOf(product), "x_1 * x_2");
  const shifted = fixAll(model, (layer, input, output) => {
    return layer === 1 ? form("x") : input === output ? form("x", 1, 1) : form("0");
  });
  assert.equal(textOf(shifted), "(x_1 + 1) * (x_2 + 1)");
});

Deno.test("the formula of a deep network with products computes what the network does", () => {
  const random = createRandom(6);
  const widths = [2, { sums: 1, products: [2] }, 2, 1] as const;
  const model = createKanModel({ widths, random });
  const names = symbolicFunctions.map(({ name }) => name)
    .filter((name) => ["x", "x^2", "sin", "cos", "tanh", "gaussian", "abs", "exp"].includes(name));
  for (let trial = 0; trial < 4; trial++) {
    const draw = () => random.uniform() - 0.5;
    const fixed = fixAll(
      model,
      () => form(names[random.integer(names.length)]!, 2 * draw(), draw(), 2 * draw(), draw()),
    );
    const text = textOf(fixed, { decimals: 15 });
    const [a, b] = [draw(), draw()];
    const [expected] = evaluateKan(fixed, samplesFrom([[a, b]])).data;
    const actual = evaluate(text, { x_1: a, x_2: b });
    assert.ok(Math.abs(actual - expected!) < 1e-10 * (1 + Math.abs(expected!)), text);
  }
});

Deno.test("splines have no formula, and names must be names", () => {
  assert.throws(() => formulaOf(one), /edge from input 0 to sum 0 of layer 0 is not symbolic/);
  const model = fixAll(one, () => form("x"));
  assert.throws(() => formulaOf(model, { inputNames: ["a b"] }), /names/);
  assert.throws(() => formulaOf(model, { decimals: -1 }), /decimals/);
});

Deno.test("a network whose formula math.js would simplify for days has it all the same", () => {
  const random = createRandom(7);
  const layer = { sums: 1, products: [4, 4] };
  const widths = [5, layer, layer, 1] as const;
  const model = createKanModel({ widths, random });
  const names = ["x", "x^2", "sin", "cos", "tanh", "gaussian"];
  const draw = () => random.uniform() - 0.5;
  const wide = fixAll(
    model,
    () => form(names[random.integer(names.length)]!, 2 * draw(), draw(), 2 * draw(), draw()),
  );
  const text = textOf(wide, { decimals: 15 });
  const point = [0.1, -0.4, 0.3, 0.8, -0.6];
  const [expected] = evaluateKan(wide, samplesFrom([point])).data;
  const scope = Object.fromEntries(point.map((value, i) => [`x_${i + 1}`, value]));
  assert.ok(Math.abs(evaluate(text, scope) - expected!) < 1e-10 * (1 + Math.abs(expected!)));
});
