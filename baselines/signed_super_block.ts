import { roundToFloat16 } from "../data/round_to_float16.ts";
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

/** What a k-quant without minima stores of a super-block. */
export interface SignedSuperBlock {
  /** The step d of the scales, as f16 holds it. */
  readonly step: number;
  /** s_b of every sub-block, from `-scaleBound` to `scaleBound - 1`. */
  readonly scales: readonly number[];
  /** q of every weight, from `lowest` to `highest`. */
  readonly integers: Int32Array;
}

/** Rounds of fitting the f16 step to the integers, and the integers to the step. */
const REFINEMENTS = 3;

/**
 * Quantizes a super-block to d · s_b · q: integers q of every weight, a signed integer s_b of every
 * sub-block, and an f16 step d of the whole. Writes the values into `target` and gives what they
 * are made of.
 */
export function quantizeSignedSuperBlock(
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
  { subBlock, lowest, highest, scaleBound }: SignedSuperBlockLayout,
): SignedSuperBlock {
  const wanted = Array.from({ length: values.length / subBlock }, (_, b) => {
    const from = b * subBlock, to = from + subBlock;
    return fitScale(values.subarray(from, to), weights.subarray(from, to), lowest, highest).scale;
  });
  // The scale of the largest magnitude becomes -scaleBound, the end that reaches further.
  const largest = wanted.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a, 0);
  let step = roundToFloat16(-largest / scaleBound);
  const scales = wanted.map((scale) => {
    const integer = step === 0 ? 0 : Math.round(scale / step);
    return Math.min(Math.max(integer, -scaleBound), scaleBound - 1);
  });
  const integers = new Int32Array(values.length);
  let best: SignedSuperBlock = { step, scales, integers: integers.slice() };
  let bestError = Infinity;
  for (let round = 0; round <= REFINEMENTS; round++) {
    const reconstruction = target.slice();
    let error = 0, cross = 0, square = 0;
    for (let i = 0; i < values.length; i++) {
      const scale = scales[Math.floor(i / subBlock)]!;
      const nearest = step * scale === 0 ? 0 : Math.round(values[i]! / (step * scale));
      integers[i] = Math.min(Math.max(nearest, lowest), highest);
      const integer = scale * integers[i]!;
      reconstruction[i] = step * integer;
      error += weights[i]! * (values[i]! - step * integer) ** 2;
      cross += weights[i]! * values[i]! * integer;
      square += weights[i]! * integer * integer;
    }
    if (!(error < bestError)) break;
    bestError = error;
    target.set(reconstruction);
    best = { step, scales, integers: integers.slice() };
    if (square === 0) break;
    step = roundToFloat16(cross / square);
  }
  return best;
}
