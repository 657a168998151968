import type { DriftSums, Multiply } from "./drift_engine.ts";
import { solveDamped } from "./solve_damped.ts";

/** How {@linkcode driftChange} is found. */
export interface ChangeOptions {
  /** Which part of it is taken; by default what each half says of the other. */
  readonly share?: number | undefined;
  /** Times the mean of the inputs' squares is added to each. */
  readonly damping: number;
}

/**
 * P = share · (ZᵀZ + λ)⁻¹ Zᵀ(X - Z), row-major, `[size, size]`, of the sums of two halves of a text;
 * undefined where it is nothing.
 *
 * What fits one half fits others less. With P of a half, share · Z P is nearest to the other half's X - Z
 * where share = ⟨X - Z, Z P⟩ / |Z P|² there. As a part of Z P that is by chance halves with twice the
 * text, of all of it a larger share is right: 2 s / (1 + s).
 */
export async function driftChange(
  halves: readonly [DriftSums, DriftSums],
  size: number,
  { share, damping }: ChangeOptions,
  multiply: Multiply,
): Promise<Float32Array | undefined> {
  const fit = ({ moment, drift }: DriftSums) =>
    solveDamped(moment, drift, { size, columns: size, damping }, multiply);
  const [first, second] = halves;
  const all = { moment: sum(first.moment, second.moment), drift: sum(first.drift, second.drift) };
  if (share === 0 || all.drift.every((value) => value === 0)) return undefined;
  const taken = share ?? await heldOutShare(halves, size, fit, multiply);
  if (taken === 0) return undefined;
  return (await fit(all)).map((value) => taken * value);
}

/** The share of the change of both halves that halves say is right, 0 to 1. */
async function heldOutShare(
  [first, second]: readonly [DriftSums, DriftSums],
  size: number,
  fit: (sums: DriftSums) => Promise<Float32Array>,
  multiply: Multiply,
): Promise<number> {
  let along = 0, square = 0;
  for (const [fitted, other] of [[first, second], [second, first]] as const) {
    const change = await fit(fitted);
    const moment = Float32Array.from(other.moment);
    const turned = await multiply(moment, change, { rows: size, depth: size, columns: size });
    for (let at = 0; at < change.length; at++) {
      along += change[at]! * other.drift[at]!;
      square += change[at]! * turned[at]!;
    }
  }
  if (!(along > 0 && square > 0)) return 0;
  const share = along / square;
  return Math.min(1, 2 * share / (1 + share));
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, at) => value + b[at]!);
}
