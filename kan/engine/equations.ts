import { parameterCount } from "../model/model.ts";
import type { KanModel } from "../model/model.ts";
import { nodeCount } from "../model/layer_model.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { requireNumber } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import {
  backwardDerivatives,
  type Derivatives,
  type DerivativeTrace,
  directionsOf,
  traceDerivatives,
} from "./derivatives.ts";

/**
 * A differential equation that the outputs u of a model should fulfil at some points. Its mean squared
 * residual is added to the loss.
 */
export interface Equation {
  /** Where it should hold, [points, inputs of the model]. */
  readonly points: Samples;
  /**
   * What should be 0 at a point x: a function of the outputs `u` there and of their derivatives,
   * `first[d][o]` and `second[d][o]` for direction d and output o.
   */
  residual(at: {
    readonly x: Float64Array;
    readonly u: Float64Array;
    readonly first: readonly Float64Array[];
    readonly second: readonly Float64Array[];
  }): number;
  /** Weight of the mean squared residual in the loss, above 0; 1 if omitted. */
  readonly weight?: number;
  /**
   * Along which vectors derivatives are taken; if omitted along each input, so that `second[0]` is
   * u_xx and `second[1]` is u_yy.
   */
  readonly directions?: readonly (readonly number[])[];
}

/** Step of the central differences that tell how a residual depends on u and its derivatives. */
const DIFFERENCE = 1e-5;

/** Throws a RangeError unless an equation fits the model. */
export function requireEquations(model: KanModel, equations: readonly Equation[]): void {
  equations.forEach(({ points, residual, weight = 1, directions }, e) => {
    requireModelAndInputs(model, points, 1, `points of equation ${e}`);
    if (typeof residual !== "function") {
      throw new RangeError(`equation ${e} needs a residual function`);
    }
    requireNumber(`the weight of equation ${e}`, weight, { above: 0 });
    directionsOf(model, directions);
  });
}

/** The residuals of an equation at its points, and how they depend on u and its derivatives. */
interface Residuals {
  readonly trace: DerivativeTrace;
  readonly values: Float64Array;
  readonly slopes: Derivatives;
}

function residualsOf(model: KanModel, equation: Equation, points: Samples): Residuals {
  const directions = directionsOf(model, equation.directions);
  const trace = traceDerivatives(model, points, directions);
  const outputs = nodeCount(model.layers.at(-1)!), { rows, columns } = points;
  const make = () => new Float64Array(rows * outputs);
  const slopes = { values: make(), first: directions.map(make), second: directions.map(make) };
  const values = new Float64Array(rows);
  const u = new Float64Array(outputs);
  const first = directions.map(() => new Float64Array(outputs));
  const second = directions.map(() => new Float64Array(outputs));
  const parts = [
    { at: u, from: trace.outputs.values, to: slopes.values },
    ...directions.flatMap((_, d) => [
      { at: first[d]!, from: trace.outputs.first[d]!, to: slopes.first[d]! },
      { at: second[d]!, from: trace.outputs.second[d]!, to: slopes.second[d]! },
    ]),
  ];
  for (let row = 0; row < rows; row++) {
    const at = { x: points.data.slice(row * columns, (row + 1) * columns), u, first, second };
    for (const { at, from } of parts) {
      at.set(from.subarray(row * outputs, (row + 1) * outputs));
    }
    values[row] = equation.residual(at);
    for (const part of parts) {
      for (let o = 0; o < outputs; o++) {
        const value = part.at[o]!, step = DIFFERENCE * Math.max(1, Math.abs(value));
        part.at[o] = value + step;
        const above = equation.residual(at);
        part.at[o] = value - step;
        const below = equation.residual(at);
        part.at[o] = value;
        part.to[row * outputs + o] = (above - below) / (2 * step);
      }
    }
  }
  return { trace, values, slopes };
}

/** The weighted mean squares of all residuals, and their gradient with respect to the parameters. */
export function evaluateEquations(
  model: KanModel,
  equations: readonly Equation[],
): { value: number; gradient: Float64Array } {
  const gradient = new Float64Array(parameterCount(model));
  let value = 0;
  for (const equation of equations) {
    const { trace, values, slopes } = residualsOf(model, equation, equation.points);
    const share = (equation.weight ?? 1) / values.length,
      outputs = slopes.values.length / values.length;
    value += share * values.reduce((sum, residual) => sum + residual * residual, 0);
    const weigh = (slope: Float64Array) =>
      slope.map((each, at) => 2 * share * values[Math.floor(at / outputs)]! * each);
    const upstream = {
      values: weigh(slopes.values),
      first: slopes.first.map(weigh),
      second: slopes.second.map(weigh),
    };
    backwardDerivatives(model, trace, upstream).forEach((each, at) => gradient[at]! += each);
  }
  return { value, gradient };
}

/** The residuals, each times the root of its weight in a mean over `count` values. */
export function weightedResiduals(
  model: KanModel,
  equations: readonly Equation[],
  count: number,
): Float64Array {
  return Float64Array.from(equations.flatMap((equation) => {
    const { values } = residualsOf(model, equation, equation.points);
    const root = Math.sqrt((equation.weight ?? 1) * count / values.length);
    return Array.from(values, (value) => root * value);
  }));
}

/** The derivatives of {@link weightedResiduals} with respect to the parameters, row by row. */
export function residualJacobian(
  model: KanModel,
  equations: readonly Equation[],
  count: number,
): Float64Array[] {
  return equations.flatMap((equation) => {
    const { data, rows, columns } = equation.points;
    const root = Math.sqrt((equation.weight ?? 1) * count / rows);
    return Array.from({ length: rows }, (_, row) => {
      const point = { rows: 1, columns, data: data.subarray(row * columns, (row + 1) * columns) };
      const { trace, slopes } = residualsOf(model, equation, point);
      return backwardDerivatives(model, trace, slopes).map((each) => root * each);
    });
  });
}
