import { fitScale } from "./weighted_fit.ts";

/** How a k-quant without minima divides its super-block. */
export interface SignedSuperBlockLayout {
  /** Weights that share a scale. */
  readonly subBlock: number;
  /** The lowest integer of a weight. */
  readonly lowest: number;
  /** The highest integer of a weight. */
  readonly highest: number;
  /** Scales of sub-blocks are integers from minus this to this less one. */
  readonly scaleBound: number;
}

/** Rounds of fitting the f16 step to the integers, and the integers to the step. */
const REFINEMENTS = 3;

/**
 * Quantizes a super-block to d · s_b · q: integers q of every weight, a signed integer s_b of every
 * sub-block, and an f16 step d of the whole.
 */
export function quantizeSignedSuperBlock(
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
  { subBlock, lowest, highest, scaleBound }: SignedSuperBlockLayout,
): void {
  const wanted = Array.from({ length: values.length / subBlock }, (_, b) => {
    const from = b * subBlock, to = from + subBlock;
    return fitScale(values.subarray(from, to), weights.subarray(from, to), lowest, highest).scale;
  });
  // The scale of the largest magnitude becomes -scaleBound, the end that reaches further.
  const largest = wanted.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a, 0);
  let step = Math.f16round(-largest / scaleBound);
  const scales = wanted.map((scale) => {
    const integer = step === 0 ? 0 : Math.round(scale / step);
    return Math.min(Math.max(integer, -scaleBound), scaleBound - 1);
  });
  let bestError = Infinity;
  for (let round = 0; round <= REFINEMENTS; round++) {
    const reconstruction = target.slice();
    let error = 0, cross = 0, square = 0;
    for (let i = 0; i < values.length; i++) {
      const scale = scales[Math.floor(i / subBlock)]!;
      const nearest = step * scale === 0 ? 0 : Math.round(values[i]! / (step * scale));
      const integer = scale * Math.min(Math.max(nearest, lowest), highest);
      reconstruction[i] = step * integer;
      error += weights[i]! * (values[i]! - step * integer) ** 2;
      cross += weights[i]! * values[i]! * integer;
      square += weights[i]! * integer * integer;
    }
    if (!(error < bestError)) return;
    bestError = error;
    target.set(reconstruction);
    if (square === 0) return;
    step = Math.f16round(cross / square);
  }
}
