import { InputError } from "../../data/input_error.ts";
import type { ErrorMetric } from "../levels/level.ts";
import { packUpper } from "./packed_upper.ts";
import { upperFactor } from "./upper_factor.ts";

/** What calibration found out about a matrix of weights. */
export interface TensorMetric {
  /** Axis of the stored matrix that runs over inputs: 1 for [out, in], 0 for GPT-2's [in, out]. */
  readonly inputAxis: 0 | 1;
  /** Second moment E[x xᵀ] of the inputs, n × n, row-major. */
  readonly hessian: Float64Array;
  /** Second moment of the loss' gradient with respect to each output; all 1 where absent. */
  readonly fisher?: Float64Array;
}

/** Metrics by tensor name. */
export type TensorMetrics = ReadonlyMap<string, TensorMetric>;

/** Share of the mean that is added to the diagonal of second moments. */
const HESSIAN_DAMPING = 0.01;
const FISHER_DAMPING = 0.01;

/**
 * The metric of errors in a matrix whose rows are the inputs. Throws {@linkcode InputError} that
 * names the tensor where sizes disagree or a number is not finite.
 */
export function errorMetric(
  name: string,
  { hessian, fisher }: TensorMetric,
  rows: number,
  columns: number,
): ErrorMetric {
  if (hessian.length !== rows * rows || (fisher !== undefined && fisher.length !== columns)) {
    throw new InputError(
      `${name}: its calibration is for another shape than ${rows} inputs and ${columns} outputs; ` +
        `calibrate this model again`,
    );
  }
  if (!hessian.every(Number.isFinite) || !(fisher ?? []).every(Number.isFinite)) {
    throw new InputError(`${name}: its calibration has NaN or infinite values; calibrate again`);
  }
  const factor = upperFactor(hessian, rows, HESSIAN_DAMPING);
  return { ...packUpper(factor, rows), columnWeights: columnWeights(fisher, columns) };
}

function columnWeights(fisher: Float64Array | undefined, columns: number): Float64Array {
  if (fisher === undefined) return new Float64Array(columns).fill(1);
  const mean = fisher.reduce((sum, value) => sum + value, 0) / columns;
  const ridge = mean > 0 ? FISHER_DAMPING * mean : 1;
  return fisher.map((value) => Math.sqrt(Math.max(value, 0) + ridge));
}
