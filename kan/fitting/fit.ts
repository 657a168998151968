import { requireInteger, requireNumber, requireOneOf } from "../numeric/checks.ts";
import { evaluateLoss, type Loss } from "../engine/losses.ts";
import { type DataSet, type Evaluation, objectiveOf, requireFitting } from "../engine/objective.ts";
import { evaluateKan } from "../engine/evaluate.ts";
import { jacobianOf } from "../engine/jacobian.ts";
import { type Regularization, requireRegularization } from "../engine/regularizer.ts";
import { type Batches, drawBatches } from "./batches.ts";
import { scaleTask } from "./scale_task.ts";
import type { Scaling } from "../model/scaling.ts";
import { createTensorObjective, type TensorObjective } from "./tensor_objective.ts";
import { type GridUpdateOptions, requireGridUpdate, scheduleGridUpdates } from "./grid_schedule.ts";
import { updateGrids } from "./grid_update.ts";
import { type KanModel, parametersOf, replaceParameters } from "../model/model.ts";
import { type AdamState, requireAdamState, stepAdam } from "../optimizers/adam.ts";
import { Lbfgs } from "../optimizers/lbfgs.ts";
import { LevenbergMarquardt } from "../optimizers/levenberg_marquardt.ts";
import { createRandom, type Random } from "../numeric/random.ts";

/** How {@link fitKan} trains. */
export interface FitOptions {
  /**
   * `"lbfgs"` if absent: L-BFGS with a strong Wolfe line search; or Adam; or Levenberg-Marquardt,
   * for squared errors without penalty in float64, whose steps cost samples times parameters
   * squared but reach the rounding floor.
   */
  readonly optimizer?: "lbfgs" | "adam" | "levenberg-marquardt";
  /**
   * Number of steps, at least 0; 100 if absent. One step of L-BFGS is one iteration with its line
   * search, mostly one or two evaluations; a step of pykan's `fit` is up to 20 of them.
   */
  readonly steps?: number;
  /** Step size of Adam; .01 if absent. */
  readonly learningRate?: number;
  /** Samples for each step, drawn without repetition in every pass; all if absent. */
  readonly batchSize?: number;
  /** `"mse"` if absent. */
  readonly loss?: Loss;
  /**
   * What brings raw columns to a size that networks work well with; it becomes part of the trained
   * model, which takes and gives raw columns. `"auto"` if absent: columns that need it are scaled,
   * inputs beyond 10 and, if the loss is mse or mae, targets beyond 100, unless the model has a
   * scaling or has learnt the data already. Losses mse and mae, and so the penalty's weight, count in
   * scaled targets.
   */
  readonly scaling?: "auto" | Scaling | false;
  /** Sparsity penalty; none if absent. */
  readonly regularization?: Regularization;
  /** `"float64"` (plain TypeScript) if absent; `"tfjs"` computes on the current backend. */
  readonly engine?: "float64" | "tfjs";
  /** When and how grids follow the inputs of the edges; false: never. */
  readonly gridUpdate?: GridUpdateOptions | false;
  /** Data for early stopping. */
  readonly validation?: DataSet;
  /** Steps without a lower validation loss before it stops, at least 1; never if absent. */
  readonly patience?: number;
  /** The source of random numbers for batches; seed 0 if absent. */
  readonly random?: Random;
  /** Moments of Adam to begin with, e.g. from {@link refineAdamState}. */
  readonly adamState?: AdamState;
  /** Called after every step. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** Stops the training with what it has when aborted. */
  readonly signal?: AbortSignal;
}

/** The state after one step. */
export interface FitProgress {
  /** Number of steps done. */
  readonly step: number;
  /** Loss on the batch before the step (Adam) or after it (the others). */
  readonly loss: number;
  /** Loss on the validation data after the step, if there are any. */
  readonly validationLoss?: number;
}

/** What {@link fitKan} returns. */
export interface FitResult {
  /** The trained model. */
  readonly model: KanModel;
  /** Every step, but those that were left out because none was better before the next grid update. */
  readonly history: readonly FitProgress[];
  /** Adam's moments at the end; absent with other optimisers. */
  readonly adamState?: AdamState;
  /**
   * Why it ended: all steps done, no better step, no better validation loss, aborted, or the loss or
   * its gradient is no longer finite; the model is then the last one of which it was.
   */
  readonly reason: "steps" | "converged" | "patience" | "aborted" | "overflow";
}

/**
 * A trained copy of `model`. The same model, data, options and random seed give the same result.
 *
 * @throws RangeError if the data do not fit the model, hold numbers that are not finite, or an option
 * is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, fitKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const x = Array.from({ length: 50 }, (_, i) => -1 + i / 25);
 * const data = {
 *   inputs: samplesFrom(x.map((each) => [each])),
 *   targets: samplesFrom(x.map((each) => [Math.sin(3 * each)])),
 * };
 * const model = createKanModel({ widths: [1, 1], grid: { intervals: 5 }, random: createRandom(0) });
 * const { history } = await fitKan(model, data, { steps: 20 });
 * assert.ok(history.at(-1)!.loss < 1e-3);
 * ```
 */
export async function fitKan(
  model: KanModel,
  data: DataSet,
  options: FitOptions = {},
): Promise<FitResult> {
  const { validation, loss = "mse" } = options;
  requireFitting(model, data, loss);
  if (validation !== undefined) requireFitting(model, validation, loss, "validation ");
  requireOptions(options);
  requirePlainSquares(options);
  const task = scaleTask(model, data, options);
  const trainer = new Trainer(task.model, task.data, task.options);
  try {
    const result = await train(trainer, task.options);
    return { ...result, model: task.restore(result.model) };
  } finally {
    trainer.dispose();
  }
}

/** Throws a RangeError for an option out of its range. */
function requireOptions(options: FitOptions): void {
  const { optimizer = "lbfgs", engine = "float64", steps = 100, learningRate = 0.01 } = options;
  const { batchSize, patience = Infinity, gridUpdate, regularization, adamState } = options;
  requireOneOf("optimizer", optimizer, ["lbfgs", "adam", "levenberg-marquardt"]);
  requireOneOf("engine", engine, ["float64", "tfjs"]);
  requireInteger("steps", steps, 0);
  requireNumber("learningRate", learningRate, { above: 0 });
  if (batchSize !== undefined) requireInteger("batchSize", batchSize, 1);
  if (patience !== Infinity) requireInteger("patience", patience, 1);
  if (gridUpdate !== undefined && gridUpdate !== false) requireGridUpdate(gridUpdate);
  if (regularization !== undefined) requireRegularization(regularization);
  if (adamState !== undefined) requireAdamState(adamState);
}

/** Levenberg-Marquardt only knows sums of squares. */
function requirePlainSquares(options: FitOptions): void {
  if (options.optimizer !== "levenberg-marquardt") return;
  const { loss = "mse", regularization, engine = "float64" } = options;
  if (loss !== "mse" || (regularization?.lambda ?? 0) > 0 || engine !== "float64") {
    throw new RangeError("levenberg-marquardt needs the loss mse, no penalty and engine float64");
  }
}

async function train(trainer: Trainer, options: FitOptions): Promise<FitResult> {
  const { steps = 100, gridUpdate = {}, patience = Infinity } = options;
  const { validation, loss = "mse" } = options;
  const schedule = scheduleGridUpdates(gridUpdate, steps);
  const history: FitProgress[] = [];
  let best: { model: KanModel; loss: number; step: number } | undefined;
  let isStuck = false;
  const end = (reason: FitResult["reason"]): FitResult => ({
    model: best?.model ?? trainer.model,
    history,
    ...(trainer.adamState !== undefined && { adamState: trainer.adamState }),
    reason,
  });
  for (let step = 1; step <= steps; step++) {
    if (options.signal?.aborted) return end("aborted");
    const isDue = schedule.isDue(step - 1);
    if (isDue) trainer.updateGrids(gridUpdate || {});
    else if (isStuck) continue;
    const reached = await trainer.step();
    // On other grids there may be better steps: the run goes on with the next update.
    isStuck = reached === "converged" && schedule.isAhead(step);
    if (isStuck) continue;
    if (typeof reached === "string") return end(reached);
    let progress: FitProgress = { step, loss: reached };
    if (validation !== undefined) {
      const { data } = evaluateKan(trainer.model, validation.inputs);
      const validationLoss = evaluateLoss(loss, data, validation.targets).value;
      progress = { ...progress, validationLoss };
      if (patience < Infinity && validationLoss < (best?.loss ?? Infinity)) {
        best = { model: trainer.model, loss: validationLoss, step };
      }
    }
    history.push(progress);
    options.onProgress?.(progress);
    if (validation !== undefined && step - (best?.step ?? 0) >= patience) return end("patience");
  }
  return end("steps");
}

/** The state of a training run. */
class Trainer {
  adamState: AdamState | undefined;
  readonly #options: FitOptions;
  readonly #batches: Batches;
  #shape: KanModel;
  #parameters: Float64Array;
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
  }

  get model(): KanModel {
    return replaceParameters(this.#shape, this.#parameters);
  }

  updateGrids({ uniformShare, samples = this.#gridSamples() }: GridUpdateOptions): void {
    this.#shape = updateGrids(this.model, this.#batches.sample(samples), uniformShare);
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
    const residuals = (parameters: Float64Array) =>
      evaluateKan(at(parameters), batch.inputs).data.map((value, i) =>
        value - batch.targets.data[i]!
      );
    const jacobian = (parameters: Float64Array) => jacobianOf(at(parameters), batch.inputs);
    const meanSquare = (parameters: Float64Array) =>
      residuals(parameters).reduce((sum, value) => sum + value * value, 0) /
      batch.targets.data.length;
    const next = this.#levenbergMarquardt.step({ residuals, jacobian }, this.#parameters);
    if (next === undefined) {
      return Number.isFinite(meanSquare(this.#parameters)) ? "converged" : "overflow";
    }
    this.#parameters = next;
    return meanSquare(next);
  }

  #evaluate(parameters: Float64Array, batch: DataSet): Evaluation | Promise<Evaluation> {
    const { engine = "float64", loss = "mse", regularization } = this.#options;
    if (engine === "float64") {
      return objectiveOf(
        replaceParameters(this.#shape, parameters),
        batch,
        loss,
        regularization,
      );
    }
    this.#device ??= createTensorObjective(this.#shape, loss, regularization);
    return this.#device.evaluate(parameters, batch);
  }
}

function isFinite({ value, loss, gradient }: Evaluation): boolean {
  return Number.isFinite(value) && Number.isFinite(loss) && gradient.every(Number.isFinite);
}
