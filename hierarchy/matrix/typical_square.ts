/** Values this many times the mean magnitude are outliers; a normal value never is. */
const OUTLIER = 30;

/** What the largest value may be in units of the typical one: finer steps could not reach it. */
const LARGEST_RATIO = 2 ** 20;

/**
 * Mean square of values without outliers: what a quantization step is scaled by where nothing is known
 * of what errors cost. One value of 10^4 standard deviations would otherwise make the step of its
 * whole matrix so coarse that all others become zero. Where everything but zeros is an outlier, zeros
 * do not count: those few values are what there is to code. 0 for zeros alone.
 */
export function typicalSquare(values: Float32Array): number {
  return typicalSquareOfParts(() => [{ data: values }]);
}

/** {@linkcode typicalSquare} of values in parts, which are asked for two or three times. */
export function typicalSquareOfParts(
  parts: () => Iterable<{ readonly data: Float32Array }>,
): number {
  let magnitudes = 0, nonzero = 0, largest = 0, count = 0;
  for (const { data: values } of parts()) {
    count += values.length;
    for (let i = 0; i < values.length; i++) {
      const magnitude = Math.abs(values[i]!);
      magnitudes += magnitude;
      if (magnitude > 0) nonzero++;
      if (magnitude > largest) largest = magnitude;
    }
  }
  if (nonzero === 0) return 0;
  let square = meanSquareWithin(parts(), OUTLIER * magnitudes / count, count);
  if (square === 0) square = meanSquareWithin(parts(), OUTLIER * magnitudes / nonzero, nonzero);
  return Math.max(square, (largest / LARGEST_RATIO) ** 2);
}

/** Mean square of `count` values, all but zeros, without those beyond a limit. */
function meanSquareWithin(
  parts: Iterable<{ readonly data: Float32Array }>,
  limit: number,
  count: number,
): number {
  let squares = 0;
  for (const { data: values } of parts) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Math.abs(value) > limit) count--;
      else squares += value * value;
    }
  }
  return count > 0 ? squares / count : 0;
}
