import { triangleStart } from "../matrix/triangle.ts";

/**
 * Tokens that tell as much of correlations as one independent Gaussian draw: gradients are
 * heavy-tailed, and tokens of a text go together. Measured on the embedded model as another one: of
 * 3,072 tokens of one kind of text, it lowers the divergence on four others by 3 % in the mean, of
 * 27,000 tokens of several kinds by 1 to 2 %.
 */
export const TOKENS_PER_SAMPLE = 2;

/** Most of a correlation that is taken off. */
const LARGEST_SHARE = 0.5;

/**
 * Share, 0 to 0.5, by which off-diagonal elements of a moment (its lower triangle, row by row) are
 * too large in the mean: the summed variance of correlations over `samples` independent draws, in
 * proportion to the sum of their squares. The estimate is that of Schäfer and Strimmer, A shrinkage
 * approach to large-scale covariance matrix estimation (2005), with the variance of Gaussian draws.
 */
export function shrinkageShare(triangle: Float64Array, size: number, samples: number): number {
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
  return squares === 0 ? 0 : Math.min(variances / (samples * squares), LARGEST_SHARE);
}

/** Takes a share off all elements of a lower triangle but the diagonal. */
export function shrinkTriangle(triangle: Float64Array, size: number, share: number): void {
  if (share === 0) return;
  for (let row = 1; row < size; row++) {
    const start = triangleStart(row), end = start + row;
    for (let at = start; at < end; at++) triangle[at] = triangle[at]! * (1 - share);
  }
}
