import assert from "node:assert";
import { stepAdam } from "./adam.ts";
import { Lbfgs } from "./lbfgs.ts";
import { LevenbergMarquardt } from "./levenberg_marquardt.ts";
import { searchLine } from "./line_search.ts";
import { dot } from "./optimizer.ts";

/** Rosenbrock's valley, minimum 0 at (1, 1). */
function rosenbrock(at: Float64Array) {
  const [x, y] = at as unknown as [number, number];
  const valley = y - x * x;
  return {
    value: 100 * valley ** 2 + (1 - x) ** 2,
    gradient: Float64Array.of(-400 * x * valley - 2 * (1 - x), 200 * valley),
  };
}

Deno.test("L-BFGS reaches the end of Rosenbrock's valley, lower at every step", async () => {
  const lbfgs = new Lbfgs();
  let parameters: Float64Array = Float64Array.of(-1.2, 1);
  let evaluation = rosenbrock(parameters);
  for (let i = 0; i < 60; i++) {
    const next = await lbfgs.step(rosenbrock, parameters, evaluation);
    if (next === undefined) break;
    assert.ok(next.evaluation.value < evaluation.value);
    ({ parameters, evaluation } = next);
  }
  assert.ok(Math.abs(parameters[0]! - 1) < 1e-8 && Math.abs(parameters[1]! - 1) < 1e-8);
});

Deno.test("the line search meets both strong Wolfe conditions", async () => {
  for (const firstStep of [1e-6, 1e-3, 1, 50]) {
    const start = Float64Array.of(-1.2, 1);
    const first = rosenbrock(start);
    const direction = first.gradient.map((value) => -value);
    const found = await searchLine(rosenbrock, start, first, direction, firstStep);
    const moved = found!.parameters.map((value, i) => value - start[i]!);
    const slope = dot(first.gradient, direction), step = moved[0]! / direction[0]!;
    assert.ok(found!.evaluation.value <= first.value + 1e-4 * step * slope);
    assert.ok(Math.abs(dot(found!.evaluation.gradient, direction)) <= -0.9 * slope);
  }
});

Deno.test("the line search refuses directions that climb and survives values that are not finite", async () => {
  const start = Float64Array.of(1);
  const log = (at: Float64Array) => ({
    value: at[0]! - Math.log(at[0]!),
    gradient: Float64Array.of(1 - 1 / at[0]!),
  });
  const first = log(Float64Array.of(0.5));
  assert.equal(await searchLine(log, start, first, Float64Array.of(-1), 1), undefined);
  const down = log(Float64Array.of(3));
  const found = await searchLine(log, Float64Array.of(3), down, Float64Array.of(-1), 64);
  assert.ok(found!.evaluation.value < down.value);
});

Deno.test("L-BFGS stops at a minimum", async () => {
  const flat = () => ({ value: 0, gradient: Float64Array.of(0) });
  assert.equal(await new Lbfgs().step(flat, Float64Array.of(1), flat()), undefined);
});

Deno.test("Adam agrees with two steps worked out by hand", () => {
  const options = { learningRate: 0.1, beta1: 0.5, beta2: 0.5, epsilon: 0 };
  const one = stepAdam(Float64Array.of(1), Float64Array.of(2), options);
  assert.ok(Math.abs(one.parameters[0]! - 0.9) < 1e-15);
  const two = stepAdam(one.parameters, Float64Array.of(-1), options, one.state);
  // first = (1 - 1) / 2 = 0 after 1 and -1; so the parameter stays.
  assert.equal(two.state.first[0], 0);
  assert.equal(two.state.second[0], 1.5);
  assert.equal(two.parameters[0], one.parameters[0]);
});

Deno.test("Levenberg-Marquardt solves Rosenbrock's valley as least squares", () => {
  const method = new LevenbergMarquardt();
  const problem = {
    residuals: ([x, y]: Float64Array) => Float64Array.of(10 * (y! - x! * x!), 1 - x!),
    jacobian: ([x]: Float64Array) => {
      return { rows: 2, columns: 2, data: Float64Array.of(-20 * x!, 10, -1, 0) };
    },
  };
  let parameters: Float64Array = Float64Array.of(-1.2, 1);
  for (let i = 0; i < 60; i++) parameters = method.step(problem, parameters) ?? parameters;
  assert.ok(Math.abs(parameters[0]! - 1) < 1e-10 && Math.abs(parameters[1]! - 1) < 1e-10);
});
