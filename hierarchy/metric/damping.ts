import { valuePieces } from "../../data/half_values.ts";
import type { StateDict, WeightTensor } from "../../data/tensor.ts";
import { bisect } from "../matrix/bisect.ts";
import type { TensorMetric, TensorMetrics } from "./tensor_metric.ts";

/** Shares of the mean diagonal that are added to the diagonals of a matrix' moments. */
export interface Damping {
  /** Of the Hessian. */
  readonly inputs: number;
  /** Of the output moments. */
  readonly outputs: number;
}

/**
 * How the damping follows from the ratio of noise to signal. Measured on the embedded model: from a
 * third to three times these, the divergence at equal bytes changes by less than 2 %.
 */
const NOISE_SHARE = 0.1, INPUT_NOISE_SHARE = 0.3;
const LEAST_DAMPING = 1e-3, LARGEST_DAMPING = 0.3;

/** The most rows and columns of a matrix that are looked at. */
const SAMPLES = 256;

/**
 * Damping for each matrix at a rate of `bits` a weight.
 *
 * Weights have finite size, so where an error costs less than θ / σ², with σ² the mean square of the
 * weights and θ what one coefficient may cost, it is best to leave a weight out: the optimum over the
 * eigenvectors of H ⊗ G adds θ / σ² to each eigenvalue. That sum has no triangular factors of its own,
 * so each of both moments gets the square root of its share instead; a Hessian without output moments
 * gets all of it. θ comes from reverse water-filling over the diagonals. Matrices that see the same
 * inputs get the same damping.
 */
export function planDamping(
  weights: StateDict,
  metrics: TensorMetrics,
  bits: number,
): Map<string, Damping> {
  const energies = [...metrics].flatMap(([name, metric]) => {
    const tensor = weights.get(name);
    return tensor === undefined ? [] : [energyOf(name, metric, tensor)];
  });
  const logWater = waterLevel(energies, bits);
  const logNoise = new Map(energies.map(({ name, logMean }) => [name, logWater - logMean]));
  return new Map(energies.map(({ name }) => {
    const { outputMoments, sharedWith = [] } = metrics.get(name)!;
    const logs = [name, ...sharedWith].flatMap((other) => logNoise.get(other) ?? []);
    const ratio = 2 ** (logs.reduce((sum, value) => sum + value, 0) / logs.length);
    const damping = outputMoments === undefined
      ? INPUT_NOISE_SHARE * ratio
      : Math.sqrt(NOISE_SHARE * ratio);
    const clamped = Math.min(Math.max(damping, LEAST_DAMPING), LARGEST_DAMPING);
    return [name, { inputs: clamped, outputs: clamped }];
  }));
}

/** What the weights of a matrix are worth: log2 of σ² H_ii G_jj is logRows[i] + logColumns[j]. */
interface Energy {
  readonly name: string;
  readonly count: number;
  readonly logRows: readonly number[];
  readonly logColumns: readonly number[];
  /** log2 of σ² times the means of both diagonals. */
  readonly logMean: number;
}

function energyOf(
  name: string,
  { hessian, fisher }: TensorMetric,
  tensor: WeightTensor,
): Energy {
  let squares = 0, count = 0;
  for (const weights of valuePieces(tensor)) {
    for (let i = 0; i < weights.length; i++) squares += weights[i]! * weights[i]!;
    count += weights.length;
  }
  const size = Math.floor(Math.sqrt(hessian.length));
  const inputs = Float64Array.from({ length: size }, (_, i) => hessian[i * (size + 1)]!);
  const outputs = fisher ?? Float64Array.of(1);
  const logSquare = log(squares / count);
  return {
    name,
    count,
    logRows: sampled(inputs).map((value) => log(value) + logSquare),
    logColumns: sampled(outputs).map(log),
    logMean: logSquare + log(mean(inputs)) + log(mean(outputs)),
  };
}

/** log2 of what each coefficient may cost for `bits` a weight on average: reverse water-filling. */
function waterLevel(energies: readonly Energy[], bits: number): number {
  const total = energies.reduce((sum, { count }) => sum + count, 0);
  const bitsAt = (level: number) =>
    energies.reduce((sum, energy) => sum + energy.count * meanBits(energy, level), 0) / total;
  return bisect([-LOG_RANGE, LOG_RANGE], (level) => bitsAt(level) > bits, 40)[0];
}

/** Logarithms are kept within this range. */
const LOG_RANGE = 200;

function log(value: number): number {
  return Math.max(Math.log2(value), -LOG_RANGE);
}

function meanBits({ logRows, logColumns }: Energy, level: number): number {
  let bits = 0;
  for (const row of logRows) {
    for (const column of logColumns) bits += Math.max(0, (row + column - level) / 2);
  }
  return bits / (logRows.length * logColumns.length);
}

function sampled(values: Float64Array): number[] {
  const step = Math.max(1, Math.floor(values.length / SAMPLES));
  return Array.from(
    { length: Math.ceil(values.length / step) },
    (_, index) => values[index * step]!,
  );
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
