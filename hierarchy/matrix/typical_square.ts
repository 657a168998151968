/** Values so many times the mean magnitude are outliers; a normal value never is. */
const OUTLIER = 30;

/**
 * Mean square of values without outliers: what a quantization step is scaled by where nothing is known
 * of what errors cost. One value of 10^4 standard deviations would otherwise make the step of its
 * whole matrix so coarse that all others become zero.
 */
export function typicalSquare(values: Float32Array): number {
  let magnitudes = 0;
  for (let i = 0; i < values.length; i++) magnitudes += Math.abs(values[i]!);
  const limit = OUTLIER * magnitudes / values.length;
  let squares = 0, count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.abs(value) > limit) continue;
    squares += value * value;
    count++;
  }
  return count > 0 ? squares / count : 0;
}
