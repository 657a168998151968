/** Numbers of one precision. */
export type Floats = Float32Array | Float64Array;

/** The edges of a layer and the functions that are not 0 at each input of a batch of samples. */
export interface EdgeBatch<A extends Floats> {
  /** Samples. */
  readonly rows: number;
  /** Inputs of a sample. */
  readonly inputs: number;
  /** Sums of a sample. */
  readonly outputs: number;
  /** Functions of an input. */
  readonly size: number;
  /** Functions that are not 0 at one point. */
  readonly support: number;
  /** Number of the first of these, [rows, inputs]. */
  readonly first: Int32Array;
  /** Their values, [rows, inputs, support]. */
  readonly values: Floats;
  /** Their slopes, [rows, inputs, support]; empty if no input gradients are wanted. */
  readonly slopes: Floats;
  /** Values of the base function, [rows, inputs]; empty if there is none. */
  readonly bases: Float64Array;
  /** Its slopes, as `slopes`. */
  readonly baseSlopes: Float64Array;
  /** Weights of the functions, [inputs, size, outputs]. */
  readonly weights: A;
  /** Factors of all weights of an edge, [inputs, outputs]; empty if there are none. */
  readonly factors: A;
  /** Factors of the base function, [inputs, outputs]; empty if there is none. */
  readonly baseWeights: A;
}

/** Cubic B-splines of all inputs of a layer, as kernels evaluate them. */
export interface SplineTables {
  /** Intervals of every grid. */
  readonly intervals: number;
  /** Whether all inputs share one basis. */
  readonly isShared: boolean;
  /** Whether curves go on flat outside their range, and not as lines. */
  readonly isFlat: boolean;
  /** The knots inside the range, [bases, intervals + 1]. */
  readonly knots: Float64Array;
  /** Polynomials in the place between two knots, 0 to 1, [bases, intervals, power, spline]. */
  readonly values: Float64Array;
  /** Their derivatives with respect to x. */
  readonly slopes: Float64Array;
}

/** The four splines that are not 0 at each of many points. */
export interface LocalSplines<A extends Floats> {
  /** Number of the first of them, one a point. */
  readonly first: Int32Array;
  /** [points, 4]. */
  readonly values: A;
  /** [points, 4]; empty unless asked for. */
  readonly slopes: A;
}

/** What the edges add up to. */
export interface EdgeSums<A extends Floats> {
  /** [rows, outputs]. */
  readonly sums: A;
  /** Each edge alone, [rows, inputs, outputs]; empty unless asked for. */
  readonly edges: A;
}

/** The gradients of a batch. */
export interface EdgeGradients<A extends Floats> {
  /** [inputs, size, outputs]. */
  readonly weights: A;
  /** [inputs, outputs]; empty if there are none. */
  readonly factors: A;
  /** [inputs, outputs]; empty if there is no base function. */
  readonly baseWeights: A;
  /** [rows, inputs]; empty if the batch has no slopes. */
  readonly inputs: A;
}

/** The two passes through the edges of a layer, in the precision of the weights. */
export interface EdgeKernels {
  /** The sums over the inputs of base and functions times their factors. */
  forward<A extends Floats>(batch: EdgeBatch<A>, wantsEdges: boolean): EdgeSums<A>;
  /**
   * @param sumGradients [rows, outputs].
   * @param edgeGradients [rows, inputs, outputs], added to those of the sums; empty for none.
   */
  backward<A extends Floats>(
    batch: EdgeBatch<A>,
    sumGradients: A,
    edgeGradients: A,
  ): EdgeGradients<A>;
}

/** Zeros of the type of `like`. */
export function zerosLike<A extends Floats>(like: A, length: number): A {
  return new (like.constructor as new (length: number) => A)(length);
}
