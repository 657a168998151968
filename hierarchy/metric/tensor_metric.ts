import { type ErrorMetric, metricOf, OUTPUT_ALIGNMENT } from "../matrix/error_metric.ts";
import { firstNotFinite } from "../../data/finite.ts";
import { InputError } from "../../data/input_error.ts";
import { packUpper } from "./packed_upper.ts";
import { lowerTriangle } from "../matrix/triangle.ts";
import { shrinkageShare, shrinkTriangle } from "./shrinkage.ts";
import { factorTriangle } from "./upper_factor.ts";

/** What calibration found out about a matrix of weights. */
export interface TensorMetric {
  /** Axis of the stored matrix that runs over inputs: 1 for [out, in], 0 for GPT-2's [in, out]. */
  readonly inputAxis: 0 | 1;
  /** Second moment E[x xᵀ] of the inputs, n × n, row-major. */
  readonly hessian: Float64Array;
  /** Second moment of the loss' gradient with respect to each output; all 1 if omitted. */
  readonly fisher?: Float64Array;
  /** How those gradients go together: see {@linkcode OutputMoment}. Not at all if omitted. */
  readonly outputMoments?: readonly OutputMoment[];
  /** Names of the matrices that see the same inputs, where that is known. */
  readonly sharedWith?: readonly string[];
  /** Tokens that the moments are means over, where that is known. */
  readonly tokens?: number;
}

/**
 * Second moment E[∇ ∇ᵀ] of the loss' gradient with respect to a block of outputs. The blocks of a
 * matrix follow each other without gaps; outputs of different blocks are taken to be independent.
 */
export interface OutputMoment {
  /** First output, a multiple of 64. */
  readonly start: number;
  /** The moment, row-major, as many rows as the block has outputs. */
  readonly moment: Float64Array;
}

/** Metrics by tensor name. */
export type TensorMetrics = ReadonlyMap<string, TensorMetric>;

/** A second moment as a triangular factor, in a quarter of the memory. */
export type MomentFactor = Pick<ErrorMetric, "rowWeights" | "feedback">;

/** The factor of an {@linkcode OutputMoment}. */
export interface OutputFactor extends MomentFactor {
  /** First output. */
  readonly start: number;
}

/** A {@linkcode TensorMetric} whose moments are factored: all that the rate code needs of them. */
export interface FactoredMetric
  extends Omit<TensorMetric, "hessian" | "outputMoments" | "sharedWith" | "tokens"> {
  /** The factor of the Hessian. */
  readonly factor: MomentFactor;
  /** The factors of the output moments. */
  readonly outputFactors?: readonly OutputFactor[];
}

/** Factored metrics by tensor name; see {@linkcode factorMetrics}. */
export type FactoredMetrics = ReadonlyMap<string, FactoredMetric>;

/** Whether all metrics are factored. */
export function isFactored(metrics: TensorMetrics | FactoredMetrics): metrics is FactoredMetrics {
  return [...metrics.values()].every((metric) => "factor" in metric);
}

/** Share of the mean that is added to Fisher information that stands alone. */
const FISHER_DAMPING = 0.01;

/**
 * The metric of errors in a matrix whose rows are the inputs. Throws {@linkcode InputError} that
 * names the tensor where sizes disagree or a number is not finite.
 */
export function errorMetric(
  name: string,
  { fisher, factor, outputFactors }: FactoredMetric,
  rows: number,
  columns: number,
): ErrorMetric {
  const outputs = outputFactors?.reduce((sum, { rowWeights }) => sum + rowWeights.length, 0) ??
    fisher?.length ?? columns;
  if (factor.rowWeights.length !== rows || outputs !== columns) {
    throw new InputError(
      `${name}: its calibration is for another shape than ${rows} inputs and ${columns} outputs; ` +
        `calibrate this model again`,
    );
  }
  if (outputFactors === undefined) {
    const weights = columnWeights(fisher, columns);
    checkFinite(name, weights);
    return metricOf(factor, { rowWeights: factor.rowWeights, columnWeights: weights });
  }
  checkBlocks(name, outputFactors);
  const weights = new Float64Array(columns);
  for (const { start, rowWeights } of outputFactors) weights.set(rowWeights, start);
  const columnBlocks = outputFactors.map((block) => ({
    start: block.start,
    size: block.rowWeights.length,
    get feedback() {
      return block.feedback;
    },
  }));
  const { rowWeights } = factor;
  return metricOf(factor, { rowWeights, columnWeights: weights, columnBlocks });
}

/** How {@linkcode factorMoment} takes a moment for a better one. */
export interface Regularization {
  /** Times the mean of the diagonal is added to the diagonal. */
  readonly damping: number;
  /** Independent draws that the moment is worth: what is off the diagonal is taken back by them. */
  readonly samples?: number;
}

/**
 * Factors a second moment after shrinking and damping it.
 * Throws {@linkcode InputError} that names the tensor where it is not a square matrix or a number
 * is not finite.
 */
export function factorMoment(
  name: string,
  moment: Float64Array,
  { damping, samples }: Regularization,
): MomentFactor {
  const size = Math.floor(Math.sqrt(moment.length));
  if (size * size !== moment.length) {
    throw new InputError(
      `${name}: its calibration is not a square matrix; calibrate this model again`,
    );
  }
  checkFinite(name, moment);
  const triangle = lowerTriangle(moment, size);
  if (samples !== undefined) {
    shrinkTriangle(triangle, size, shrinkageShare(triangle, size, samples));
  }
  factorTriangle(triangle, size, damping);
  const factor = packUpper(triangle, size);
  // A moment that is none has no factor: it is not a sum of squares, or too large for one.
  checkFinite(name, factor.rowWeights);
  checkFinite(name, factor.feedback);
  return factor;
}

/** Blocks must follow each other and begin at whole tiles. */
function checkBlocks(name: string, blocks: readonly OutputFactor[]): void {
  let end = 0;
  for (const { start, rowWeights } of blocks) {
    if (start !== end || start % OUTPUT_ALIGNMENT !== 0) {
      throw new InputError(
        `${name}: a block of its output moments begins at ${start}; blocks must follow each other ` +
          `and begin at multiples of ${OUTPUT_ALIGNMENT}`,
      );
    }
    end = start + rowWeights.length;
  }
}

function checkFinite(name: string, values: Float64Array | Float32Array): void {
  if (firstNotFinite(values) < 0) return;
  throw new InputError(`${name}: its calibration has NaN or infinite values; calibrate again`);
}

function columnWeights(fisher: Float64Array | undefined, columns: number): Float64Array {
  if (fisher === undefined) return new Float64Array(columns).fill(1);
  const mean = fisher.reduce((sum, value) => sum + value, 0) / columns;
  const ridge = mean > 0 ? FISHER_DAMPING * mean : 1;
  return fisher.map((value) => Math.sqrt(Math.max(value, 0) + ridge));
}
