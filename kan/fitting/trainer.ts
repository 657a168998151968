import {
  type Equation,
  evaluateEquations,
  residualJacobian,
  weightedResiduals,
} from "../engine/equations.ts";
import { evaluateKan } from "../engine/evaluate.ts";
import { jacobianOf } from "../engine/jacobian.ts";
import { type DataSet, type Evaluation, objectiveOf } from "../engine/objective.ts";
import { type KanModel, parametersOf, replaceParameters } from "../model/model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { createRandom } from "../numeric/random.ts";
import { type AdamState, stepAdam } from "../optimizers/adam.ts";
import { Lbfgs } from "../optimizers/lbfgs.ts";
import { LevenbergMarquardt } from "../optimizers/levenberg_marquardt.ts";
import { type Batches, drawBatches } from "./batches.ts";
import type { FitOptions } from "./fit_options.ts";
import { frozenParameters, layersWithFrozenSplines } from "./freeze.ts";
import { gridUpdateDefaults, type GridUpdateOptions } from "./grid_schedule.ts";
import { updateGrids } from "./grid_update.ts";
import { createTensorObjective, type TensorObjective } from "./tensor_objective.ts";

/** The state of a training run. */
export class Trainer {
  adamState: AdamState | undefined;
  readonly #options: FitOptions;
  readonly #batches: Batches;
  /** The layers whose grids may not move. */
  readonly #fixedLayers: ReadonlySet<number>;
  #shape: KanModel;
  #parameters: Float64Array;
  /** 1 for a parameter that stays as it is; undefined if none does. */
  #frozen: Uint8Array | undefined;
  /** The last parameters of which the objective was finite. */
  #sound: Float64Array;
  #lbfgs = new Lbfgs();
  readonly #levenbergMarquardt = new LevenbergMarquardt();
  #device: TensorObjective | undefined;
  /** The objective at the parameters on a batch, as L-BFGS left it. */
  #known: { readonly batch: DataSet; readonly evaluation: Evaluation } | undefined;

  constructor(model: KanModel, data: DataSet, options: FitOptions) {
    this.#shape = model;
    this.#sound = this.#parameters = parametersOf(model);
    this.#options = options;
    this.#batches = drawBatches(data, options.batchSize, options.random ?? createRandom(0));
    this.adamState = options.adamState;
    this.#fixedLayers = layersWithFrozenSplines(options.freeze ?? []);
    this.#frozen = frozenParameters(model, options.freeze);
  }

  get model(): KanModel {
    return replaceParameters(this.#shape, this.#parameters);
  }

  updateGrids(options: GridUpdateOptions): void {
    const { uniformShare = gridUpdateDefaults(this.#options).uniformShare } = options;
    const { samples = this.#gridSamples() } = options;
    const inputs = withPoints(this.#batches.sample(samples), this.#options.equations ?? []);
    const moved = this.#shape.layers.flatMap((_, l) => this.#fixedLayers.has(l) ? [] : [l]);
    this.#shape = updateGrids(this.model, inputs, uniformShare, moved);
    this.#frozen = frozenParameters(this.#shape, this.#options.freeze);
    this.#sound = this.#parameters = parametersOf(this.#shape);
    this.#lbfgs = new Lbfgs();
    this.#known = undefined;
    this.dispose();
  }

  /** One step; the loss, or why there is none. */
  async step(): Promise<number | "converged" | "overflow"> {
    const { optimizer = "lbfgs", learningRate = 0.01 } = this.#options;
    const batch = this.#batches.next();
    if (optimizer === "levenberg-marquardt") return this.#stepLeastSquares(batch);
    const objective = (parameters: Float64Array) => this.#evaluate(parameters, batch);
    const evaluation = this.#known?.batch === batch
      ? this.#known.evaluation
      : await objective(this.#parameters);
    if (!isFinite(evaluation)) {
      this.#parameters = this.#sound;
      return "overflow";
    }
    this.#sound = this.#parameters;
    if (optimizer === "adam") {
      const { gradient } = evaluation;
      const next = stepAdam(this.#parameters, gradient, { learningRate }, this.adamState);
      const { first, second } = next.state;
      const moved = [next.parameters, first, second];
      if (!moved.every((values) => values.every(Number.isFinite))) return "overflow";
      this.#parameters = next.parameters;
      this.adamState = next.state;
      return evaluation.loss;
    }
    const next = await this.#lbfgs.step(objective, this.#parameters, evaluation);
    if (next === undefined) return "converged";
    this.#parameters = next.parameters;
    this.#known = { batch, evaluation: next.evaluation };
    return next.evaluation.loss;
  }

  /** Ten samples place a break well enough; a batch may have more. */
  #gridSamples(): number {
    const { batchSize } = this.#options;
    if (batchSize === undefined) return Infinity;
    const sizes = this.#shape.layers.map(({ bases }) => bases[0]!.size);
    return Math.max(batchSize, 10 * Math.max(...sizes));
  }

  dispose(): void {
    this.#device?.dispose();
    this.#device = undefined;
  }

  #stepLeastSquares(batch: DataSet): number | "converged" | "overflow" {
    const at = (parameters: Float64Array) => replaceParameters(this.#shape, parameters);
    const { equations = [] } = this.#options, count = batch.targets.data.length;
    const residuals = (parameters: Float64Array) => {
      const model = at(parameters);
      const errors = evaluateKan(model, batch.inputs).data.map((value, i) =>
        value - batch.targets.data[i]!
      );
      return concatenate([errors, weightedResiduals(model, equations, count)]);
    };
    const jacobian = (parameters: Float64Array) => {
      const model = at(parameters), { data, rows, columns } = jacobianOf(model, batch.inputs);
      const more = residualJacobian(model, equations, count);
      const all = { rows: rows + more.length, columns, data: concatenate([data, ...more]) };
      return this.#frozen === undefined ? all : {
        ...all,
        data: all.data.map((value, i) => this.#frozen![i % columns] === 1 ? 0 : value),
      };
    };
    const meanSquare = (parameters: Float64Array) =>
      residuals(parameters).reduce((sum, value) => sum + value * value, 0) / count;
    const next = this.#levenbergMarquardt.step({ residuals, jacobian }, this.#parameters);
    if (next === undefined) {
      return Number.isFinite(meanSquare(this.#parameters)) ? "converged" : "overflow";
    }
    const before = this.#parameters;
    // Rounding moves even what no residual depends on.
    this.#parameters = next.map((value, i) => this.#frozen?.[i] === 1 ? before[i]! : value);
    return meanSquare(this.#parameters);
  }

  async #evaluate(parameters: Float64Array, batch: DataSet): Promise<Evaluation> {
    const { engine = "float64", loss = "mse", regularization, equations = [] } = this.#options;
    let evaluation: Evaluation;
    if (engine === "float64") {
      const model = replaceParameters(this.#shape, parameters);
      evaluation = objectiveOf(model, batch, loss, regularization);
      if (equations.length > 0) {
        const more = evaluateEquations(model, equations);
        evaluation = {
          value: evaluation.value + more.value,
          loss: evaluation.loss + more.value,
          gradient: evaluation.gradient.map((value, i) => value + more.gradient[i]!),
        };
      }
    } else {
      this.#device ??= createTensorObjective(this.#shape, loss, regularization);
      evaluation = await this.#device.evaluate(parameters, batch);
    }
    if (this.#frozen === undefined) return evaluation;
    const gradient = evaluation.gradient.map((value, i) => this.#frozen![i] === 1 ? 0 : value);
    return { ...evaluation, gradient };
  }
}

/** The inputs, and the points of the equations, which the grids should cover too. */
function withPoints(inputs: Samples, equations: readonly Equation[]): Samples {
  if (equations.length === 0) return inputs;
  const all = [inputs, ...equations.map(({ points }) => points)];
  const rows = all.reduce((sum, samples) => sum + samples.rows, 0);
  return { rows, columns: inputs.columns, data: concatenate(all.map(({ data }) => data)) };
}

function concatenate(arrays: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

function isFinite({ value, loss, gradient }: Evaluation): boolean {
  return Number.isFinite(value) && Number.isFinite(loss) && gradient.every(Number.isFinite);
}
