import { roundToFloat16 } from "../data/round_to_float16.ts";
import { greatest } from "../data/extremes.ts";
import { fitScaleAndOffset } from "./weighted_fit.ts";

/** How a k-quant with minima divides its super-block. */
export interface SuperBlockLayout {
  /** Weights that share a scale and a minimum. */
  readonly subBlock: number;
  /** The highest integer of a weight. */
  readonly top: number;
  /** The highest value of a sub-block's scale and minimum. */
  readonly scaleTop: number;
}

/** What a k-quant with minima stores of a super-block. */
export interface SuperBlock {
  /** The step d of the scales, as f16 holds it. */
  readonly scaleStep: number;
  /** The step e of the minima, as f16 holds it. */
  readonly offsetStep: number;
  /** s_b of every sub-block, 0 to `scaleTop`. */
  readonly scales: readonly number[];
  /** m_b of every sub-block, 0 to `scaleTop`. */
  readonly offsets: readonly number[];
  /** q of every weight, 0 to `top`. */
  readonly integers: Int32Array;
}

/** Rounds of fitting the two f16 steps to the integers, and the integers to the steps. */
const REFINEMENTS = 3;

/**
 * Quantizes a super-block to d · s_b · q − e · m_b: integers q of every weight, integers s_b and m_b of
 * every sub-block, and f16 steps d and e of the whole. Writes the values into `target` and gives
 * what they are made of.
 */
export function quantizeSuperBlock(
  values: Float64Array,
  weights: Float64Array,
  target: Float32Array,
  layout: SuperBlockLayout,
): SuperBlock {
  const { subBlock, scaleTop } = layout;
  const fits = Array.from({ length: values.length / subBlock }, (_, b) => {
    const from = b * subBlock, to = from + subBlock;
    return fitScaleAndOffset(values.subarray(from, to), weights.subarray(from, to), layout.top);
  });
  let scaleStep = roundToFloat16(greatest(fits.map(({ scale }) => scale)) / scaleTop);
  let offsetStep = roundToFloat16(greatest(fits.map(({ offset }) => -offset)) / scaleTop);
  const integer = (value: number, step: number) =>
    step === 0 ? 0 : Math.min(Math.max(Math.round(value / step), 0), scaleTop);
  const scales = fits.map(({ scale }) => integer(scale, scaleStep));
  const offsets = fits.map(({ offset }) => integer(-offset, offsetStep));
  const integers = new Int32Array(values.length);
  let best: SuperBlock = { scaleStep, offsetStep, scales, offsets, integers: integers.slice() };
  let bestError = Infinity;
  for (let round = 0; round <= REFINEMENTS; round++) {
    let error = 0;
    const reconstruction = target.slice();
    for (let i = 0; i < values.length; i++) {
      const b = Math.floor(i / subBlock);
      const step = scaleStep * scales[b]!, minimum = offsetStep * offsets[b]!;
      const integer = step === 0 ? 0 : Math.round((values[i]! + minimum) / step);
      integers[i] = Math.min(Math.max(integer, 0), layout.top);
      reconstruction[i] = step * integers[i]! - minimum;
      error += weights[i]! * (values[i]! - reconstruction[i]!) ** 2;
    }
    if (!(error < bestError)) break;
    bestError = error;
    target.set(reconstruction);
    best = { ...best, scaleStep, offsetStep, integers: integers.slice() };
    const steps = fitSteps(values, weights, integers, scales, offsets, subBlock);
    if (steps === undefined) break;
    [scaleStep, offsetStep] = steps;
  }
  return best;
}

/** The f16 steps that fit given integers best, by weighted least squares. */
function fitSteps(
  values: Float64Array,
  weights: Float64Array,
  integers: Int32Array,
  scales: readonly number[],
  offsets: readonly number[],
  subBlock: number,
): readonly [number, number] | undefined {
  let aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
  for (let i = 0; i < values.length; i++) {
    const block = Math.floor(i / subBlock);
    const a = scales[block]! * integers[i]!, b = -offsets[block]!, weight = weights[i]!;
    aa += weight * a * a;
    ab += weight * a * b;
    bb += weight * b * b;
    ax += weight * a * values[i]!;
    bx += weight * b * values[i]!;
  }
  const determinant = aa * bb - ab * ab;
  if (!(determinant > 1e-12 * aa * bb)) return undefined;
  const scaleStep = (bb * ax - ab * bx) / determinant;
  const offsetStep = (aa * bx - ab * ax) / determinant;
  if (!(scaleStep > 0 && offsetStep > 0)) return undefined;
  return [roundToFloat16(scaleStep), roundToFloat16(offsetStep)];
}
