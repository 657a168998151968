import { metricOf, weightsOf } from "./error_metric.ts";
import { heldMatrix } from "./held_matrix.ts";
import type { Matrix } from "./matrix.ts";

/**
 * Whether some columns of a matrix are a matrix of their own, as they are quantized, and stand side by
 * side in memory.
 */
export function isCheaplyCut({ metric, held }: Pick<Matrix, "metric" | "held">): boolean {
  if (metric === undefined || metric.columnBlocks !== undefined || held?.transposed !== true) {
    return false;
  }
  const { stored } = held;
  return stored instanceof Float32Array || stored.patterns instanceof Uint16Array;
}

/** Columns `start` to before `end` of a matrix of which {@linkcode isCheaplyCut} says so. */
export function columnRange(matrix: Matrix, start: number, end: number): Matrix {
  const { name, rows, metric, rowColumnSteps } = matrix;
  const { stored, transposed, factors } = matrix.held!;
  const [first, last] = [start * rows, end * rows];
  const part = stored instanceof Float32Array
    ? rangeOf(stored, first, last)
    : { ...stored, patterns: rangeOf(stored.patterns as Uint16Array, first, last) };
  const { columnWeights, columnSteps, ...rest } = weightsOf(metric!);
  return heldMatrix({
    name,
    rows,
    columns: end - start,
    metric: metricOf(metric!, {
      ...rest,
      columnWeights: columnWeights.slice(start, end),
      ...(columnSteps && { columnSteps: columnSteps.slice(start, end) }),
    }),
    ...(rowColumnSteps && {
      rowColumnSteps: {
        rows: rowColumnSteps.rows,
        columns: rowColumnSteps.columns.slice(start, end),
      },
    }),
  }, {
    stored: part,
    transposed,
    ...(factors && {
      factors: { rows: factors.rows, columns: factors.columns.slice(start, end) },
    }),
  });
}

/** A view where threads share the memory; otherwise a copy, for workers would be sent all of it. */
function rangeOf<Values extends Float32Array | Uint16Array>(
  values: Values,
  start: number,
  end: number,
): Values {
  const isShared = typeof SharedArrayBuffer !== "undefined" &&
    values.buffer instanceof SharedArrayBuffer;
  return (isShared ? values.subarray(start, end) : values.slice(start, end)) as Values;
}
