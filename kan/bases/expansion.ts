import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import type { Basis } from "./basis.ts";
import { evaluateBasis, evaluatePoints, functionsOf, requireInside } from "./evaluate_basis.ts";

/**
 * The dense expansion of a batch: every basis function of every input, [batch, inputs, size], or a
 * derivative of them. Differentiable any number of times with respect to `x`: the gradient is the
 * expansion of the next derivative, so no backend has to differentiate comparisons.
 *
 * On the CPU and WASM backends, B-splines come from {@link evaluateBasis} in float64, rounded to
 * float32; everything else comes from tfjs operators.
 *
 * @param bases One basis for all inputs, or one for each input; all of the same size.
 * @param x [batch, inputs].
 * @throws RangeError if an input is outside a domain whose policy is `"error"`, or if the number of
 * bases is neither 1 nor the number of inputs.
 *
 * ```ts
 * import { createBsplines, expandBasis, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 5 }));
 * const expansion = expandBasis([basis], tf.tensor2d([[0.1, 0.2]]));
 * assert.deepEqual(expansion.shape, [1, 2, 8]);
 * ```
 */
export function expandBasis(
  bases: readonly Basis[],
  x: Tensor2D,
  derivative = 0,
): Tensor3D {
  if (bases.length !== 1 && bases.length !== x.shape[1]) {
    throw new RangeError(`${x.shape[1]} inputs need 1 or ${x.shape[1]} bases, got ${bases.length}`);
  }
  const expand = tf.customGrad((input, save) => {
    (save as tf.GradSaveFunc)([input as tf.Tensor]);
    const value = canReadSynchronously() && bases.every(hasLocalSupport)
      ? expandOnHost(bases, input as Tensor2D, derivative)
      : expandOnDevice(bases, input as Tensor2D, derivative);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => tf.sum(dy.mul(expandBasis(bases, saved[0] as Tensor2D, derivative + 1)), 2)),
    };
  });
  return expand(x) as Tensor3D;
}

/** Whether `dataSync()` is a copy of plain memory on the current backend. */
export function canReadSynchronously(): boolean {
  return tf.getBackend() === "cpu" || tf.getBackend() === "wasm";
}

/** Whether evaluating the few functions at each point beats running over all of them. */
function hasLocalSupport(basis: Basis): boolean {
  return basis.description.kind === "bspline";
}

function expandOnHost(
  bases: readonly Basis[],
  x: Tensor2D,
  derivative: number,
): Tensor3D {
  const [batch, inputs] = x.shape, size = bases[0]!.size, support = bases[0]!.support;
  const points = x.dataSync() as Float32Array;
  const values = new Float32Array(batch * inputs * size);
  if (derivative <= 1) {
    const local = evaluatePoints(bases, points, derivative === 1);
    const wanted = derivative === 0 ? local.values : local.slopes;
    for (let p = 0, from = 0; p < points.length; p++) {
      const at = p * size + local.first[p]!;
      for (let i = 0; i < support; i++) values[at + i] = wanted[from++]!;
    }
  } else {
    const local = new Float64Array(support);
    for (let p = 0; p < points.length; p++) {
      const basis = bases.length === 1 ? bases[0]! : bases[p % inputs]!;
      const first = evaluateBasis(basis, points[p]!, derivative, local);
      values.set(local, p * size + first);
    }
  }
  return tf.tensor3d(values, [batch, inputs, size]);
}

function expandOnDevice(
  bases: readonly Basis[],
  x: Tensor2D,
  derivative: number,
): Tensor3D {
  return tf.tidy(() => {
    if (bases.length === 1) {
      return expandWithPolicy(bases[0]!, x, derivative) as Tensor3D;
    }
    const columns = tf.unstack(x, 1);
    return tf.stack(columns.map((column, i) => expandWithPolicy(bases[i]!, column, derivative)), 1);
  }) as Tensor3D;
}

/** {@link evaluateBasis} by tfjs operators. */
function expandWithPolicy(basis: Basis, x: tf.Tensor, derivative: number): tf.Tensor {
  const functions = functionsOf(basis);
  const [start, end] = basis.domain;
  const isUnbounded = start === -Infinity && end === Infinity;
  if (basis.extrapolation === "zero" || isUnbounded) return functions.expand(x, derivative);
  if (basis.extrapolation === "error") {
    requireAllInside(basis, x);
    return functions.expand(x, derivative);
  }
  const inside = x.clipByValue(start, end);
  if (derivative === 0 && basis.extrapolation === "linear") {
    const distance = x.sub(inside).expandDims(-1);
    return functions.expand(inside, 0).add(distance.mul(functions.expand(inside, 1)));
  }
  const flatFrom = basis.extrapolation === "linear" ? 2 : 1;
  const values = functions.expand(inside, derivative);
  if (derivative < flatFrom) return values;
  return values.mul(x.equal(inside).cast("float32").expandDims(-1));
}

function requireAllInside(basis: Basis, x: Tensor): void {
  if (!canReadSynchronously()) {
    throw new RangeError(`the policy "error" cannot be checked on the ${tf.getBackend()} backend`);
  }
  for (const value of x.dataSync()) requireInside(basis, value);
}
