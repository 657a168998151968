import { triangleStart } from "../matrix/triangle.ts";

/** How much less is made of a calibration than it says of its own text. */
export interface Shrinkage {
  /** Of moments of inputs. */
  readonly inputs: ShrinkageRule;
  /** Of moments of output gradients. */
  readonly outputs: ShrinkageRule;
  /**
   * Share of its mean that is added to Fisher information that stands alone, which is that of
   * vocabularies: what tokens cost that neither came nor were predicted, should they come.
   */
  readonly rows: number;
}

/** How the share that is taken off follows from a moment and the tokens that it comes from. */
export interface ShrinkageRule {
  /** Share that is always taken off: text of another kind has other correlations. */
  readonly least: number;
  /**
   * Tokens that tell as much as one independent Gaussian sample: gradients and activations are
   * heavy-tailed, and tokens of a text go together.
   */
  readonly tokensPerSample: number;
}

/** What is taken off by default. */
export const SHRINKAGE: Shrinkage = {
  inputs: { least: 0, tokensPerSample: 0 },
  outputs: { least: 0, tokensPerSample: 0 },
  rows: 0,
};

/** Most of a correlation that is taken off. */
const LARGEST_SHARE = 0.5;

/**
 * Share, 0 to 0.5, by which off-diagonal elements of a moment (its lower triangle, row by row) are
 * too large in the mean: the summed variance of correlations over `samples` independent draws, in
 * proportion to the sum of their squares. With `tokens` unknown only the least share remains. The
 * estimate is that of Schäfer and Strimmer, A shrinkage approach to large-scale covariance matrix
 * estimation (2005), with the variance of Gaussian draws.
 */
export function shrinkageShare(
  triangle: Float64Array,
  size: number,
  tokens: number | undefined,
  { least, tokensPerSample }: ShrinkageRule,
): number {
  if (tokens === undefined || tokensPerSample === 0) return Math.min(least, LARGEST_SHARE);
  const roots = Float64Array.from(
    { length: size },
    (_, i) => Math.sqrt(Math.max(triangle[triangleStart(i + 1) - 1]!, 0)),
  );
  let squares = 0, variances = 0;
  for (let row = 1; row < size; row++) {
    const start = triangleStart(row), root = roots[row]!;
    if (root === 0) continue;
    for (let column = 0; column < row; column++) {
      const scale = root * roots[column]!;
      if (scale === 0) continue;
      const correlation = triangle[start + column]! / scale;
      const square = correlation * correlation;
      squares += square;
      variances += (1 - Math.min(1, square)) ** 2;
    }
  }
  if (squares === 0) return Math.min(least, LARGEST_SHARE);
  const noise = tokensPerSample * variances / (tokens * squares);
  return Math.min(least + noise, LARGEST_SHARE);
}

/** Takes a share off all elements of a lower triangle but the diagonal. */
export function shrinkTriangle(triangle: Float64Array, size: number, share: number): void {
  if (share === 0) return;
  for (let row = 1; row < size; row++) {
    const start = triangleStart(row), end = start + row;
    for (let at = start; at < end; at++) triangle[at] = triangle[at]! * (1 - share);
  }
}
