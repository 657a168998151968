import { type Equation, requireEquations } from "../engine/equations.ts";
import type { Loss } from "../engine/losses.ts";
import type { DataSet } from "../engine/objective.ts";
import { type Regularization, requireRegularization } from "../engine/regularizer.ts";
import type { KanModel } from "../model/model.ts";
import type { Scaling } from "../model/scaling.ts";
import {
  requireInteger,
  requireNumber,
  requireOneOf,
  requireOptionNames,
} from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { Random } from "../numeric/random.ts";
import { type AdamState, requireAdamState } from "../optimizers/adam.ts";
import { type GridUpdateOptions, requireGridUpdate } from "./grid_schedule.ts";

/** How `fitKan` trains. */
export interface FitOptions {
  /**
   * `"lbfgs"` if omitted: L-BFGS with a strong Wolfe line search; or Adam; or Levenberg-Marquardt,
   * for squared errors without penalty in float64, whose steps cost samples times parameters
   * squared but reach the rounding floor.
   */
  readonly optimizer?: "lbfgs" | "adam" | "levenberg-marquardt";
  /**
   * Number of steps, at least 0; 100 if omitted. One step of L-BFGS is one iteration with its line
   * search, mostly one or two evaluations; a step of pykan's `fit` is up to 20 of them.
   */
  readonly steps?: number;
  /** Step size of Adam; .01 if omitted. */
  readonly learningRate?: number;
  /** Samples for each step, drawn without repetition in every pass; all if omitted. */
  readonly batchSize?: number;
  /** `"mse"` if omitted. */
  readonly loss?: Loss;
  /**
   * What brings raw columns to a size that networks work well with; it becomes part of the trained
   * model, which takes and gives raw columns. `"auto"` if omitted: columns that need it are scaled,
   * inputs beyond 10 and, if the loss is mse or mae, targets beyond 100, unless the model has a
   * scaling or has learnt the data already. Losses mse and mae, and so the penalty's weight, count in
   * scaled targets.
   */
  readonly scaling?: "auto" | Scaling | false;
  /**
   * Differential equations that the outputs should fulfil, besides the data: their weighted mean
   * squared residuals are added to the loss. Float64 only; Levenberg-Marquardt takes them too.
   */
  readonly equations?: readonly Equation[];
  /** Figures of outputs and targets, both raw, taken after every step, e.g. `{ rmse }`. */
  readonly metrics?: Readonly<Record<string, (outputs: Samples, targets: Samples) => number>>;
  /**
   * What training leaves as it is: a layer, or in it only the edges from one `input`, to one `output`
   * or both, or only the named parts of these edges. Grids of a layer with frozen coefficients stay
   * where they are.
   */
  readonly freeze?: readonly {
    readonly layer: number;
    readonly input?: number;
    readonly output?: number;
    readonly parts?: readonly ("coefficients" | "baseWeights" | "splineScales" | "symbolic")[];
  }[];
  /** Sparsity penalty; none if omitted. */
  readonly regularization?: Regularization;
  /** `"float64"` (plain TypeScript) if omitted; `"tfjs"` computes on the current backend. */
  readonly engine?: "float64" | "tfjs";
  /** When and how grids follow the inputs of the edges; false: never. */
  readonly gridUpdate?: GridUpdateOptions | false;
  /** Data for early stopping. */
  readonly validation?: DataSet;
  /** Steps without a lower validation loss before it stops, at least 1; never if omitted. */
  readonly patience?: number;
  /** The source of random numbers for batches; seed 0 if omitted. */
  readonly random?: Random;
  /** Moments of Adam to begin with, e.g. from `refineAdamState`. */
  readonly adamState?: AdamState;
  /** Called after every step. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** Stops the training with what it has when aborted. */
  readonly signal?: AbortSignal;
}

/** A part of a model that training leaves as it is. */
export type FrozenPart = NonNullable<FitOptions["freeze"]>[number];

/** The state after one step. */
export interface FitProgress {
  /** Number of steps done. */
  readonly step: number;
  /** Loss on the batch before the step (Adam) or after it (the others). */
  readonly loss: number;
  /** Loss on the validation data after the step, if there are any. */
  readonly validationLoss?: number;
  /** The metrics asked for, on the training data. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** The metrics asked for, on the validation data. */
  readonly validationMetrics?: Readonly<Record<string, number>>;
}

/** What `fitKan` returns. */
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

const NAMES: Readonly<Record<keyof FitOptions, true>> = {
  optimizer: true,
  steps: true,
  learningRate: true,
  batchSize: true,
  loss: true,
  scaling: true,
  equations: true,
  metrics: true,
  freeze: true,
  regularization: true,
  engine: true,
  gridUpdate: true,
  validation: true,
  patience: true,
  random: true,
  adamState: true,
  onProgress: true,
  signal: true,
};

/** Throws a RangeError for an option that is unknown or out of its range. */
export function requireOptions(model: KanModel, options: FitOptions): void {
  requireOptionNames("fitKan", options, NAMES);
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
  if (regularization?.metric === "backward" && engine !== "float64") {
    throw new RangeError('the metric "backward" needs the engine float64');
  }
  if (adamState !== undefined) requireAdamState(adamState);
  for (const [name, metric] of Object.entries(options.metrics ?? {})) {
    if (typeof metric !== "function") throw new RangeError(`metrics.${name} must be a function`);
  }
  if (options.equations !== undefined && options.equations.length > 0) {
    requireEquations(model, options.equations);
    if (engine !== "float64") throw new RangeError("equations need the engine float64");
  }
  requirePlainSquares(options);
}

/** Levenberg-Marquardt only knows sums of squares. */
function requirePlainSquares(options: FitOptions): void {
  if (options.optimizer !== "levenberg-marquardt") return;
  const { loss = "mse", regularization, engine = "float64" } = options;
  if (loss !== "mse" || (regularization?.lambda ?? 0) > 0 || engine !== "float64") {
    throw new RangeError("levenberg-marquardt needs the loss mse, no penalty and engine float64");
  }
}
