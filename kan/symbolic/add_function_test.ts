import assert from "node:assert";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import {
  createKanModel,
  createRandom,
  decodeKan,
  encodeKan,
  evaluateKan,
  samplesFrom,
} from "../mod.ts";
import { Kan } from "../layers/kan.ts";
import {
  applySymbolic,
  evaluateSymbolic,
  symbolicFunction,
  symbolicFunctions,
} from "../model/symbolic_functions.ts";
import { addSymbolicFunction } from "./add_function.ts";
import { suggestForCurve } from "./fit_curve.ts";
import { formulaOf } from "./formula.ts";
import { fixSymbolic } from "./suggest.ts";

/** The Bessel function J_0, from its integral over [0, pi] by the trapezoidal rule, which is exact. */
function besselJ0(x: number): number {
  let sum = 0;
  for (let i = 0; i < 64; i++) sum += Math.cos(x * Math.sin(Math.PI * (i + 0.5) / 64));
  return sum / 64;
}

addSymbolicFunction({ name: "bessel0", value: besselJ0, latexName: "J_0" });

Deno.test("an added expression has the value, the slope and the tensors of its formula", async () => {
  const cases: [string, (x: number) => number][] = [
    ["1 / (1 + x^2)", (x) => 1 / (1 + x * x)],
    ["x * exp(-abs(x)) - 2^x", (x) => x * Math.exp(-Math.abs(x)) - 2 ** x],
    ["sin(x)^3 / cosh(x / 2) + pi", (x) => Math.sin(x) ** 3 / Math.cosh(x / 2) + Math.PI],
    ["(x^2 + 1)^0.5 + x^-2 * x^3", (x) => Math.sqrt(x * x + 1) + x],
  ];
  await tf.setBackend("wasm");
  for (const [at, [expression, f]] of cases.entries()) {
    const own = addSymbolicFunction({ name: `case${at}`, expression });
    const points = [-2.3, -0.4, 0.7, 1.9];
    const values = applySymbolic(own, tf.tensor1d(points)).dataSync();
    const slopes = tf.grad((x) => applySymbolic(own, x))(tf.tensor1d(points)).dataSync();
    points.forEach((x, i) => {
      const { value, slope } = evaluateSymbolic(own, x);
      const difference = (f(x + 1e-6) - f(x - 1e-6)) / 2e-6;
      assert.ok(Math.abs(value - f(x)) < 1e-14 * (1 + Math.abs(value)), `${expression} at ${x}`);
      assert.ok(Math.abs(slope - difference) < 1e-7, `slope of ${expression} at ${x}`);
      assert.ok(Math.abs(values[i]! - value) < 1e-5 && Math.abs(slopes[i]! - slope) < 1e-5);
    });
  }
});

Deno.test("a function given by code is found, written in LaTeX, saved and run on tfjs", async () => {
  const x = Float64Array.from({ length: 80 }, (_, i) => i / 40 - 1);
  const y = x.map((each) => 2 * besselJ0(7 * each + 1) - 0.5);
  const [best] = suggestForCurve(x, y, {
    functions: ["sin", "gaussian"],
    moreFunctions: ["bessel0"],
    inputScales: [0, 10], // the function is even
  });
  assert.equal(best!.edge.name, "bessel0");
  assert.ok(Math.abs(best!.edge.inputScale - 7) < 1e-6, `${best!.edge.inputScale}`);
  const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
  const at = { layer: 0, input: 0, output: 0 };
  const fixed = decodeKan(encodeKan(fixSymbolic(model, samplesFrom([]), at, best!.edge)));
  const [formula] = formulaOf(fixed);
  assert.equal(formula!.text, "2 * bessel0(7 * x_1 + 1) - 0.5");
  assert.match(formula!.latex, /J_0\\left\(7\\cdot x_\{1\}\+1\\right\)/);
  const wide = createKanModel({ widths: [1, 2], random: createRandom(0) });
  const both = fixSymbolic(wide, samplesFrom([]), at, best!.edge);
  await tf.setBackend("cpu");
  const kan = Kan.fromModel(both);
  const outputs = kan.apply(tf.tensor2d([[0.3], [-0.9]])).dataSync();
  const values = evaluateKan(both, samplesFrom([[0.3], [-0.9]])).data;
  values.forEach((value, i) => assert.ok(Math.abs(outputs[i]! - value) < 1e-5));
  [0.3, -0.9].forEach((each, i) =>
    assert.ok(Math.abs(values[2 * i]! - (2 * besselJ0(7 * each + 1) - 0.5)) < 1e-9)
  );
  kan.dispose();
});

Deno.test("slopes of code without a slope are right to ten digits", () => {
  const own = symbolicFunction("bessel0");
  for (const x of [0.1, 1.7, -3.2, 11]) {
    // J_0' = -J_1, by its integral.
    let slope = 0;
    for (let i = 0; i < 256; i++) {
      const angle = Math.PI * (i + 0.5) / 256;
      slope -= Math.cos(angle - x * Math.sin(angle)) / 256;
    }
    assert.ok(Math.abs(own.slope(x) - slope) < 1e-10, `${own.slope(x)} ${slope}`);
  }
});

Deno.test("suggestions keep inside the domain of an added inverse function", () => {
  addSymbolicFunction({ name: "acosh", expression: "acosh(x)", domain: [1 + 1e-6, Infinity] });
  const x = Float64Array.from({ length: 60 }, (_, i) => i / 30 - 1);
  const y = x.map((each) => 3 * Math.acosh(2 * each + 3.5));
  const [best] = suggestForCurve(x, y, { functions: ["acosh", "x^2"], simplicity: 0 });
  assert.equal(best!.edge.name, "acosh");
  assert.ok(best!.r2 > 1 - 1e-9);
  assert.ok(x.every((each) => best!.edge.inputScale * each + best!.edge.inputShift >= 1));
  assert.equal(evaluateSymbolic(symbolicFunction("acosh"), -4).slope, 0);
});

Deno.test("a function with a pole stays finite there, and its slope counts as 0", () => {
  const own = addSymbolicFunction({ name: "pole", expression: "1 / (x - 2)", poles: [2] });
  assert.ok(Math.abs(own.value(2) - 1e4) < 1e-6 && own.slope(2) === 0);
  assert.ok(Math.abs(own.value(1.99999) + 1e4) < 1e-6);
  const values = own.apply(tf.tensor1d([2, 1.99999, 3])).dataSync();
  assert.ok(Math.abs(values[0]! / 1e4 - 1) < 1e-2 && Math.abs(values[1]! / -1e4 - 1) < 1e-2);
  assert.ok(Math.abs(values[2]! - 1) < 1e-6);
});

Deno.test("a name keeps its meaning, and adding a function changes no default", () => {
  const x = Float64Array.from({ length: 30 }, (_, i) => i / 15 - 1);
  const y = x.map((each) => 1 / (1 + each * each));
  const before = suggestForCurve(x, y);
  const twice = () => addSymbolicFunction({ name: "witch", expression: "1 / (1 + x^2)" });
  assert.equal(twice(), twice());
  assert.deepEqual(suggestForCurve(x, y), before);
  assert.equal(symbolicFunctions.some(({ name }) => name === "witch"), false);
  const other = () => addSymbolicFunction({ name: "witch", expression: "1 / (2 + x^2)" });
  assert.throws(other, /"witch" is the name of another function/);
  assert.throws(() => addSymbolicFunction({ name: "sin", expression: "x" }), /of the library/);
});

Deno.test("what cannot be a function is refused by name", () => {
  const add = (own: Parameters<typeof addSymbolicFunction>[0]) => () => addSymbolicFunction(own);
  assert.throws(add({ name: "a", expression: "1 +" }), /"1 \+" is not a formula/);
  assert.throws(add({ name: "a", expression: "x + y" }), /unknown name "y"/);
  assert.throws(add({ name: "a", expression: "gamma(x)" }), /unknown function "gamma"/);
  assert.throws(add({ name: "a", expression: "atan(x, 1)" }), /with 2 arguments/);
  assert.throws(add({ name: "a", expression: "x'" }), /operator|not a formula/);
  assert.throws(add({ name: "a", expression: "log(x)" }), /"a" is NaN .* give the domain/);
  assert.throws(add({ name: "a" }), /either an expression or a value/);
  assert.throws(add({ name: "a b", value: Math.sin }), /letters, digits and _/);
  assert.throws(add({ name: "a", expression: "x", domain: [1, 1] }), /domain of "a" must ascend/);
});

Deno.test("complexities and ranges of suggestions are the caller's", () => {
  const x = Float64Array.from({ length: 50 }, (_, i) => i / 25 - 1);
  const y = x.map((each) => Math.sin(25 * each + 1));
  const functions = ["sin"];
  const near = suggestForCurve(x, y, { functions })[0]!;
  const far = suggestForCurve(x, y, { functions, inputScales: [20, 30] })[0]!;
  assert.ok(far.r2 > 1 - 1e-9 && Math.abs(far.edge.inputScale - 25) < 1e-6, `${near.r2} ${far.r2}`);
  const line = x.map((each) => 2 * each);
  const order = (complexities: Record<string, number>) =>
    suggestForCurve(x, line, { functions: ["x", "x^3"], complexities }).map(({ edge }) =>
      edge.name
    );
  assert.deepEqual(order({}), ["x", "x^3"]);
  assert.deepEqual(order({ "x": 100 }), ["x^3", "x"]);
  assert.throws(() => order({ sinus: 1 }), /no function "sinus"/);
  assert.throws(() => suggestForCurve(x, y, { functions, inputScales: [3, 1] }), /inputScales/);
});
