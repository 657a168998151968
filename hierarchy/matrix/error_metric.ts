/**
 * What errors in a matrix cost. With E the matrix of errors, the loss of the model grows by about
 * half of the sum of the squares of all elements of Uᵀ E V, where U Uᵀ is the second moment of what the
 * rows are multiplied by (the Hessian of GPTQ) and V Vᵀ the second moment of the loss' gradient with
 * respect to the outputs (the Fisher information). Both factors are upper triangular.
 */
export interface ErrorMetric {
  /** The diagonal of U: one positive weight per row. */
  readonly rowWeights: Float64Array;
  /** The diagonal of V: one positive weight per column. */
  readonly columnWeights: Float64Array;
  /**
   * U_ki / U_ii for rows k < i: what row i can make up for of an error in row k. Packed row by row,
   * `rows * (rows - 1) / 2` values. Where it is kept elsewhere it is read anew at each access.
   */
  readonly feedback: Float32Array;
  /** V within blocks of columns, in order and without gaps; diagonal if omitted. */
  readonly columnBlocks?: readonly ColumnBlock[];
  /** What the rows were divided by since, to which `feedback` does not refer; 1 if omitted. */
  readonly rowSteps?: Float64Array;
  /** What the columns were divided by since, to which blocks do not refer; 1 if omitted. */
  readonly columnSteps?: Float64Array;
}

/** Columns of which each can make up for errors in those before it. */
export interface ColumnBlock {
  /** First column, a multiple of {@linkcode OUTPUT_ALIGNMENT}. */
  readonly start: number;
  /** Number of columns. */
  readonly size: number;
  /** V_lj / V_jj for columns l < j, packed as the metric's: `size * (size - 1) / 2` values. */
  readonly feedback: Float32Array;
}

/**
 * The metric of some feedback, with other weights, steps or blocks. The feedback may be kept elsewhere:
 * it is not asked for before somebody asks for that of what is given.
 */
export function metricOf(
  source: Pick<ErrorMetric, "feedback">,
  rest: Omit<ErrorMetric, "feedback">,
): ErrorMetric {
  return {
    ...rest,
    get feedback() {
      return source.feedback;
    },
  };
}

/** All of a metric but its feedback. */
export function weightsOf(
  { rowWeights, columnWeights, columnBlocks, rowSteps, columnSteps }: Omit<ErrorMetric, "feedback">,
): Omit<ErrorMetric, "feedback"> {
  return {
    rowWeights,
    columnWeights,
    ...(columnBlocks && { columnBlocks }),
    ...(rowSteps && { rowSteps }),
    ...(columnSteps && { columnSteps }),
  };
}

/** Blocks of columns begin at multiples of this. */
export const OUTPUT_ALIGNMENT = 64;
