import assert from "node:assert";
import { fitKan } from "../fitting/fit.ts";
import { createKanModel } from "../model/model.ts";
import { parametersOf, withParameters } from "../model/model.ts";
import { createRandom } from "../numeric/random.ts";
import {
  type Equation,
  evaluateEquations,
  residualJacobian,
  weightedResiduals,
} from "./equations.ts";
import { evaluateKan, samplesFrom } from "./evaluate.ts";

const { PI, sin } = Math;
const axis = Array.from({ length: 21 }, (_, i) => -1 + i / 10);
const inside = samplesFrom(axis.flatMap((x) => axis.map((y) => [x, y])));
const edge = axis.flatMap((at) => [[at, -1], [at, 1], [-1, at], [1, at]]);
/** u_xx + u_yy = f on a square, which sin(pi x) sin(pi y) solves. */
const poisson: Equation = {
  points: inside,
  weight: 0.01,
  residual: ({ x, second }) =>
    second[0]![0]! + second[1]![0]! + 2 * PI ** 2 * sin(PI * x[0]!) * sin(PI * x[1]!),
};
const boundary = { inputs: samplesFrom(edge), targets: samplesFrom(edge.map(() => [0])) };
const create = () =>
  createKanModel({ widths: [2, 2, 1], grid: { intervals: 5 }, random: createRandom(0) });

Deno.test("gradient and Jacobian of residuals agree with differences", () => {
  const model = create();
  const nonlinear: Equation = {
    points: samplesFrom([[0.1, 0.3], [-0.5, 0.2]]),
    weight: 3,
    residual: ({ x, u, first, second }) =>
      second[0]![0]! + u[0]! * first[1]![0]! + sin(x[0]!) + u[0]! ** 3,
  };
  const equations = [nonlinear, { ...nonlinear, directions: [[1, 1], [0.5, 0]] }];
  const parameters = parametersOf(model);
  const { value, gradient } = evaluateEquations(model, equations);
  const residuals = weightedResiduals(model, equations, 1);
  const rows = residualJacobian(model, equations, 1);
  assert.ok(Math.abs(residuals.reduce((sum, r) => sum + r * r, 0) - value) < 1e-12 * value);
  parameters.forEach((parameter, i) => {
    const step = 1e-5;
    const [up, down] = [step, -step].map((h) =>
      withParameters(model, parameters.with(i, parameter + h))
    );
    const slope = (evaluateEquations(up!, equations).value -
      evaluateEquations(down!, equations).value) / (2 * step);
    assert.ok(Math.abs(slope - gradient[i]!) < 1e-5 * (1 + Math.abs(slope)), `${i}`);
    const [above, below] = [up!, down!].map((each) => weightedResiduals(each, equations, 1));
    rows.forEach((row, r) => {
      const rise = (above![r]! - below![r]!) / (2 * step);
      assert.ok(Math.abs(rise - row[i]!) < 1e-5 * (1 + Math.abs(rise)));
    });
  });
});

for (const optimizer of ["lbfgs", "levenberg-marquardt"] as const) {
  Deno.test(`Poisson's equation is solved by ${optimizer}`, async () => {
    const fit = await fitKan(create(), boundary, {
      steps: optimizer === "lbfgs" ? 250 : 25,
      optimizer,
      equations: [poisson],
      gridUpdate: optimizer === "lbfgs" ? {} : false,
    });
    const outputs = evaluateKan(fit.model, inside).data;
    const squares = outputs.reduce((sum, u, row) => {
      const [x, y] = inside.data.subarray(2 * row, 2 * row + 2);
      return sum + (u - sin(PI * x!) * sin(PI * y!)) ** 2;
    }, 0);
    const error = Math.sqrt(squares / outputs.length);
    const bound = optimizer === "lbfgs" ? 0.05 : 0.006;
    assert.ok(error < bound, `${error} ${fit.history.at(-1)!.loss}`);
    const { value } = evaluateEquations(fit.model, [poisson]);
    const onEdge = evaluateKan(fit.model, boundary.inputs).data;
    const loss = onEdge.reduce((sum, u) => sum + u * u, 0) / onEdge.length;
    const last = fit.history.at(-1)!.loss;
    assert.ok(Math.abs(last - value - loss) < 1e-9 * (1 + last), `${last} ${value} ${loss}`);
  });
}

Deno.test("equations that do not fit are refused", async () => {
  const fit = (equation: Partial<Equation>, engine: "float64" | "tfjs" = "float64") =>
    fitKan(create(), boundary, { equations: [{ ...poisson, ...equation }], engine });
  await assert.rejects(fit({ points: samplesFrom([[1]]) }), /2 inputs, the samples 1/);
  await assert.rejects(fit({ weight: 0 }), /weight of equation 0/);
  await assert.rejects(fit({ directions: [[1, 2, 3]] }), /direction/);
  await assert.rejects(fit({ residual: undefined as never }), /residual function/);
  await assert.rejects(fit({}, "tfjs"), /engine float64/);
});
