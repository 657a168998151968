/** A rate and the mean squared error at which it can just be reached. */
export interface RatePoint {
  /** Bits a value. */
  readonly bits: number;
  /** Mean squared error. */
  readonly distortion: number;
}

/** A distribution on the real line. */
export interface Source {
  /** P(X <= x). */
  readonly cumulative: (x: number) => number;
  /** All but about 1e-7 of the probability lies within this of zero. */
  readonly reach: number;
}

/** Points of the grid within one root of the distortion. */
const RESOLUTION = 4;
/** Kernel entries below e^-40 are left out. */
const KERNEL_NATS = 40;
/** Iterations stop when upper and lower bound of the rate are this near, in bits. */
const TOLERANCE = 1e-3;
const MOST_ITERATIONS = 400;

/**
 * The point of the rate-distortion function of squared error where dR/dD = -slope (nats), by
 * Blahut's and Arimoto's algorithm (R. Blahut, IEEE Transactions on Information Theory 18, 1972) on
 * a uniform grid. Its rate is about 0.001 bit above the function at most.
 */
export function blahutArimoto(source: Source, slope: number): RatePoint {
  const spacing = Math.min(1 / Math.sqrt(2 * slope) / RESOLUTION, source.reach / 20);
  const half = Math.ceil(source.reach / spacing);
  const size = 2 * half + 1;
  const probabilities = Float64Array.from({ length: size }, (_, i) => {
    const x = (i - half) * spacing;
    return source.cumulative(x + spacing / 2) - source.cumulative(x - spacing / 2);
  });
  const width = Math.min(size - 1, Math.ceil(Math.sqrt(KERNEL_NATS / slope) / spacing));
  const kernel = Float64Array.from(
    { length: width + 1 },
    (_, d) => Math.exp(-slope * (d * spacing) ** 2),
  );
  let output = probabilities.map((p) => 0.999 * p + 0.001 / size);
  for (let iteration = 0;; iteration++) {
    const partition = convolve(output, kernel);
    const ratios = probabilities.map((p, i) => p > 0 ? p / partition[i]! : 0);
    const growth = convolve(ratios, kernel);
    const next = output.map((value, i) => value * growth[i]!);
    // Both bounds share all terms but these (Blahut, theorems 4 and 6).
    let upper = 0, largest = 0;
    for (let i = 0; i < size; i++) {
      if (next[i]! > 0) upper += next[i]! * Math.log(growth[i]!);
      largest = Math.max(largest, growth[i]!);
    }
    if ((Math.log(largest) - upper) / Math.LN2 < TOLERANCE || iteration === MOST_ITERATIONS) {
      const squares = convolve(output, kernel.map((value, d) => value * (d * spacing) ** 2));
      return ratePoint(probabilities, partition, squares, slope, upper);
    }
    output = next;
  }
}

function ratePoint(
  probabilities: Float64Array,
  partition: Float64Array,
  squares: Float64Array,
  slope: number,
  correction: number,
): RatePoint {
  let distortion = 0, logPartition = 0;
  probabilities.forEach((p, i) => {
    if (p <= 0) return;
    distortion += p * squares[i]! / partition[i]!;
    logPartition += p * Math.log(partition[i]!);
  });
  const nats = -slope * distortion - logPartition - correction;
  return { bits: Math.max(0, nats / Math.LN2), distortion };
}

/** Convolution with an even kernel that is given from its centre on. */
function convolve(values: Float64Array, kernel: Float64Array): Float64Array {
  const size = values.length;
  const result = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const value = values[i]!;
    if (value === 0) continue;
    result[i] = result[i]! + value * kernel[0]!;
    for (let d = 1; d < kernel.length; d++) {
      const part = value * kernel[d]!;
      if (i >= d) result[i - d] = result[i - d]! + part;
      if (i + d < size) result[i + d] = result[i + d]! + part;
    }
  }
  return result;
}
