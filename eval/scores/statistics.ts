/** A figure and how far it may be off by chance. */
export interface Estimate {
  /** The figure. */
  readonly value: number;
  /** Its standard error. */
  readonly standardError: number;
}

/** The mean of independent values. */
export function meanEstimate(values: ArrayLike<number>): Estimate {
  const count = values.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  const value = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - value) ** 2;
  return { value, standardError: count > 1 ? Math.sqrt(squares / count / (count - 1)) : 0 };
}

/** exp of an estimate, to first order: d exp(m) = exp(m) dm. */
export function expEstimate({ value, standardError }: Estimate): Estimate {
  return { value: Math.exp(value), standardError: Math.exp(value) * standardError };
}

/** The square root of an estimate, to first order. */
export function rootEstimate({ value, standardError }: Estimate): Estimate {
  const root = Math.sqrt(value);
  return { value: root, standardError: root === 0 ? 0 : standardError / (2 * root) };
}

/**
 * A quantile by linear interpolation between order statistics. Its standard error is half of the
 * distance between the order statistics one standard deviation of the rank away: that of the share
 * of values below the quantile, by {@linkcode meanOfClusters} where `sizes` are given, else the
 * binomial one.
 */
export function quantileEstimate(
  values: Float64Array,
  fraction: number,
  sizes?: readonly number[],
): Estimate {
  const sorted = values.toSorted();
  const last = sorted.length - 1;
  const at = (place: number) => {
    const clamped = Math.min(last, Math.max(0, place));
    const below = Math.floor(clamped);
    const above = Math.min(below + 1, last);
    return sorted[below]! + (clamped - below) * (sorted[above]! - sorted[below]!);
  };
  const place = fraction * last;
  const value = at(place);
  const spread = sizes === undefined
    ? Math.sqrt(sorted.length * fraction * (1 - fraction))
    : sorted.length *
      meanOfClusters(values.map((one) => one <= value ? 1 : 0), sizes).standardError;
  return { value, standardError: (at(place + spread) - at(place - spread)) / 2 };
}

/**
 * The mean of values that come in clusters of `sizes`, one after another, which are independent
 * while the values in them are not. A single cluster tells nothing of how clusters differ: then the
 * values are taken for independent, and the standard error is too small.
 */
export function meanOfClusters(values: Float64Array, sizes: readonly number[]): Estimate {
  const direct = meanEstimate(values);
  if (sizes.length < 2) return direct;
  let at = 0;
  const means = sizes.map((size) => meanEstimate(values.subarray(at, at += size)).value);
  return { ...direct, standardError: clusterEstimate(means, sizes).standardError };
}

/**
 * The mean over all values of clusters of which the means and sizes are known; the clusters, not
 * the values in them, are independent.
 */
export function clusterEstimate(means: readonly number[], sizes: readonly number[]): Estimate {
  const count = means.length;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const value = means.reduce((sum, mean, i) => sum + mean * sizes[i]!, 0) / total;
  const squares = means.reduce((sum, mean, i) => sum + (sizes[i]! * (mean - value)) ** 2, 0);
  const variance = squares * count / Math.max(1, count - 1);
  return { value, standardError: Math.sqrt(variance) / total };
}
