import type { StateDict } from "../../../data/mod.ts";
import type { Matrix } from "../../../hierarchy/matrix/matrix.ts";
import type { ErrorMetric } from "../../../hierarchy/matrix/error_metric.ts";
import { errorMetric } from "../../../hierarchy/metric/tensor_metric.ts";
import { factorMetrics, type TensorMetrics } from "../../../hierarchy/mod.ts";
import { matrixShape } from "../../../hierarchy/file/plan_tensors.ts";
import { transpose } from "../../../data/transpose.ts";

/** A matrix as the levels code it: rows are inputs. */
export interface CodedMatrix extends Matrix {
  readonly metric: ErrorMetric;
  /** Whether the tensor is stored the other way round. */
  readonly transposed: boolean;
}

/** The calibrated matrices of a model, ready for the levels; damped as for `bits` a weight. */
export async function codedMatrices(
  weights: StateDict,
  metrics: TensorMetrics,
  bits: number,
): Promise<CodedMatrix[]> {
  const factored = await factorMetrics(metrics, { weights, bits });
  return Array.from(factored, ([name, metric]) => {
    const { shape, data } = weights.get(name)!;
    const transposed = metric.inputAxis === 1;
    const { rows, columns } = matrixShape({ name, shape, ...(transposed && { transposed }) });
    return {
      name,
      rows,
      columns,
      transposed,
      data: transposed ? transpose(data, columns, rows) : data,
      metric: errorMetric(name, metric, rows, columns),
    };
  });
}

/** The model with coded matrices in the place of its own. */
export function withMatrices(
  weights: StateDict,
  matrices: readonly Omit<CodedMatrix, "metric">[],
): StateDict {
  return new Map([
    ...weights,
    ...matrices.map(({ name, rows, columns, transposed, data }) => {
      const values = transposed ? transpose(data, rows, columns) : data;
      return [name, { ...weights.get(name)!, data: values }] as const;
    }),
  ]);
}
