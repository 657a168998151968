import { expandTriangle, lowerTriangle } from "../../hierarchy/matrix/triangle.ts";
import { addValues, type DriftSums, type Multiply } from "./drift_sums.ts";
import { solveDamped } from "./solve_damped.ts";

/** What a change is fit to. */
export interface FitAsk {
  /** Sums over parts of a text. */
  readonly sums: readonly DriftSums[];
  /** Sums over another part, that judges. */
  readonly judge?: DriftSums;
  /** Number of features. */
  readonly size: number;
  /** Times the mean of the inputs' squares is added to each. */
  readonly damping: number;
}

/** A change, and what another part of the text says of it. */
export interface DriftFit {
  /** C = (ZᵀZ + λ)⁻¹ ZᵀY, row-major, `[size, columns]`. */
  readonly change: Float32Array;
  /** ⟨Y, Z C⟩ and |Z C|² over the part that judges; 0 without one. */
  readonly along: number;
  readonly square: number;
}

/** Fits the change that makes Z C nearest to Y. */
export async function fitDrift(
  { sums, judge, size, damping }: FitAsk,
  multiply: Multiply,
): Promise<DriftFit> {
  const moment = sumOf(sums.map(({ moment }) => moment));
  const missing = sumOf(sums.map(({ missing }) => missing));
  const columns = missing.length / size;
  const change = await solveDamped(moment, missing, { size, columns, damping }, multiply);
  if (judge === undefined) return { change, along: 0, square: 0 };
  const whole = Float32Array.from(expandTriangle(lowerTriangle(judge.moment, size), size));
  const turned = await multiply(whole, change, { rows: size, depth: size, columns });
  let along = 0, square = 0;
  for (let at = 0; at < change.length; at++) {
    along += change[at]! * judge.missing[at]!;
    square += change[at]! * turned[at]!;
  }
  return { change, along, square };
}

function sumOf([first, ...others]: readonly Float64Array[]): Float64Array {
  const sum = Float64Array.from(first!);
  for (const values of others) addValues(sum, values);
  return sum;
}
