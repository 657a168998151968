import { InputError } from "../../data/input_error.ts";
import type { ErrorMetric } from "../levels/level.ts";
import { packUpper } from "./packed_upper.ts";
import { factorTriangle, lowerTriangle } from "./upper_factor.ts";

/** What calibration found out about a matrix of weights. */
export interface TensorMetric {
  /** Axis of the stored matrix that runs over inputs: 1 for [out, in], 0 for GPT-2's [in, out]. */
  readonly inputAxis: 0 | 1;
  /** Second moment E[x xᵀ] of the inputs, n × n, row-major. */
  readonly hessian: Float64Array;
  /** Second moment of the loss' gradient with respect to each output; all 1 where absent. */
  readonly fisher?: Float64Array;
  /** Names of the matrices that see the same inputs, where that is known. */
  readonly sharedWith?: readonly string[];
}

/** Metrics by tensor name. */
export type TensorMetrics = ReadonlyMap<string, TensorMetric>;

/** The damped Hessian as a factor, in a quarter of the memory: all that the rate code needs of it. */
export type HessianFactor = Pick<ErrorMetric, "rowWeights" | "feedback">;

/** A {@linkcode TensorMetric} whose Hessian is factored. */
export interface FactoredMetric extends Omit<TensorMetric, "hessian"> {
  /** The factor. */
  readonly factor: HessianFactor;
}

/** Factored metrics by tensor name; see {@linkcode factorMetrics}. */
export type FactoredMetrics = ReadonlyMap<string, FactoredMetric>;

/** Share of the mean that is added to the diagonal of second moments. */
const HESSIAN_DAMPING = 0.01;
const FISHER_DAMPING = 0.01;

/**
 * The metric of errors in a matrix whose rows are the inputs. Throws {@linkcode InputError} that
 * names the tensor where sizes disagree or a number is not finite.
 */
export function errorMetric(
  name: string,
  metric: TensorMetric | FactoredMetric,
  rows: number,
  columns: number,
): ErrorMetric {
  const { fisher } = metric;
  const factor = "factor" in metric ? metric.factor : factorHessian(name, metric.hessian);
  if (factor.rowWeights.length !== rows || (fisher !== undefined && fisher.length !== columns)) {
    throw new InputError(
      `${name}: its calibration is for another shape than ${rows} inputs and ${columns} outputs; ` +
        `calibrate this model again`,
    );
  }
  checkFinite(name, fisher ?? new Float64Array());
  return { ...factor, columnWeights: columnWeights(fisher, columns) };
}

/**
 * Factors a Hessian. Throws {@linkcode InputError} that names the tensor where it is no square
 * matrix or a number is not finite.
 */
export function factorHessian(name: string, hessian: Float64Array): HessianFactor {
  const size = Math.floor(Math.sqrt(hessian.length));
  if (size * size !== hessian.length) {
    throw new InputError(
      `${name}: its calibration is no square matrix; calibrate this model again`,
    );
  }
  checkFinite(name, hessian);
  const triangle = lowerTriangle(hessian, size);
  factorTriangle(triangle, size, HESSIAN_DAMPING);
  return packUpper(triangle, size);
}

function checkFinite(name: string, values: Float64Array): void {
  if (values.every(Number.isFinite)) return;
  throw new InputError(`${name}: its calibration has NaN or infinite values; calibrate again`);
}

function columnWeights(fisher: Float64Array | undefined, columns: number): Float64Array {
  if (fisher === undefined) return new Float64Array(columns).fill(1);
  const mean = fisher.reduce((sum, value) => sum + value, 0) / columns;
  const ridge = mean > 0 ? FISHER_DAMPING * mean : 1;
  return fisher.map((value) => Math.sqrt(Math.max(value, 0) + ridge));
}
