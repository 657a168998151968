import type { Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import type { Basis } from "./basis.ts";
import { applyLocalEdges } from "./local_edges.ts";

/**
 * The sums over inputs i and functions j of B_j(x_i) weights[i, j, o], [batch, outputs], as the dense
 * expansion times the weights gives them, but touching only the `support` weights of each point:
 * time and memory do not grow with the number of intervals. Differentiable with respect to both
 * arguments; on the CPU and WASM backends.
 *
 * @param bases One basis for all inputs, or one for each input; all of the same size.
 * @param x [batch, inputs].
 * @param weights [inputs, basis size, outputs].
 * @throws RangeError as the extrapolation policy says, if the shapes do not fit, or on WebGPU.
 *
 * ```ts
 * import { applyLocalSplines, createBsplines, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 32 }));
 * const y = applyLocalSplines([basis], tf.tensor2d([[0.5, 0.1]]), tf.ones([2, 35, 3]));
 * assert.deepEqual(y.shape, [1, 3]); // each 2, because B-splines sum to 1
 * ```
 */
export function applyLocalSplines(
  bases: readonly Basis[],
  x: Tensor2D,
  weights: Tensor3D,
): Tensor2D {
  const [, inputs] = x.shape, [weightInputs, size] = weights.shape;
  const isBasisCount = bases.length === 1 || bases.length === inputs;
  if (inputs !== weightInputs || size !== bases[0]!.size || !isBasisCount) {
    throw new RangeError(
      `weights [${weights.shape}] and ${bases.length} bases for ${inputs} inputs`,
    );
  }
  return applyLocalEdges({ bases, base: "none", coefficients: weights }, x);
}
