/**
 * The functions that the curves of a network are sums of: B-splines on grids, Chebyshev polynomials,
 * Fourier series, Gaussians, wavelets and rational functions.
 *
 * ```ts
 * import { createBsplines, evaluateBasis, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 4, range: [-1, 1] }));
 * const values = new Float64Array(basis.support);
 * const first = evaluateBasis(basis, 0.3, 0, values); // number of the first that is not 0 there
 * assert.equal(first, 2);
 * const sum = values.reduce((total, value) => total + value);
 * assert.ok(Math.abs(sum - 1) < 1e-12); // B-splines add up to 1
 * ```
 *
 * @module
 */
export type { Basis, BasisDescription, Extrapolation } from "./basis.ts";
export { bsplineBasis, createBsplines, gridOf } from "./bspline.ts";
export { basisFromDescription } from "./describe.ts";
export { evaluateBasis } from "./evaluate_basis.ts";
export { expandBasis } from "./expansion.ts";
export * from "./global_bases.ts";
export {
  type Grid,
  gridFromBreaks,
  gridFromKnots,
  uniformGrid,
  type UniformGridOptions,
} from "./grid.ts";
export { applyLocalSplines } from "./local_splines.ts";
