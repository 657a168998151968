import { triangleSize, triangleStart } from "../../hierarchy/matrix/triangle.ts";
import { factorTriangle } from "../../hierarchy/metric/upper_factor.ts";
import type { MomentTriangle } from "./second_moment.ts";

/** A second moment of some tokens of a text, in any unit. */
export interface MomentOfText {
  /** Its lower triangle, row by row. */
  readonly triangle: MomentTriangle;
  /** Tokens that it was summed over. */
  readonly tokens: number;
}

/** Times the mean of the diagonal that is added to it, so that moments of any rank have a factor. */
const RIDGE = 1e-6;

/**
 * How many tokens of a text tell as much of a second moment of `size` features as one independent
 * Gaussian draw, from the moments A and B of two parts of it. A moment of m draws is a Wishart matrix,
 * for which the mean of tr(A⁻¹ B) / size is m / (m - size - 1) (Muirhead, Aspects of Multivariate
 * Statistical Theory, 3.2). Moments that cannot be told apart give 0; of fewer draws than features
 * nothing is known but that, and the result is too small.
 */
export function tokensPerDraw(a: MomentOfText, b: MomentOfText, size: number): number {
  const u = factorOf(a.triangle, size), v = factorOf(b.triangle, size);
  const perDraw = (tokens: number, ratio: number) =>
    ratio > 1 ? tokens * (1 - 1 / ratio) / (size + 1) : 0;
  const ratios = [traceOfRatio(u, v, size) / size, traceOfRatio(v, u, size) / size] as const;
  return (perDraw(a.tokens, ratios[0]) + perDraw(b.tokens, ratios[1])) / 2;
}

/** The factor U of A = U Uᵀ at a mean diagonal of 1, transposed, row by row. */
function factorOf(moment: MomentTriangle, size: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < size; i++) trace += moment[triangleSize(i + 1) - 1]!;
  const factor = Float64Array.from(moment, (value) => trace > 0 ? value * size / trace : 0);
  factorTriangle(factor, size, RIDGE);
  return factor;
}

/** tr(A⁻¹ B) = ‖U⁻¹ V‖² of A = U Uᵀ and B = V Vᵀ: each row of Vᵀ is solved by itself. */
function traceOfRatio(u: Float64Array, v: Float64Array, size: number): number {
  let trace = 0;
  for (let row = 0; row < size; row++) {
    const solved = v.slice(triangleStart(row), triangleStart(row) + row + 1);
    for (let k = row; k >= 0; k--) {
      const start = triangleStart(k);
      const value = solved[k]! / u[start + k]!;
      trace += value * value;
      for (let i = 0; i < k; i++) solved[i] = solved[i]! - u[start + i]! * value;
    }
  }
  return trace;
}
