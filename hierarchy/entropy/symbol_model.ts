import {
  BUMP_FROM,
  BUMP_TO,
  BUMPED_MAGNITUDES,
  CLASS_COUNT,
  CLASSES_PER_OCTAVE,
  LARGEST_BUCKET_SCALE,
  LARGEST_MAGNITUDE,
  LOWEST_SCORE,
  SHAPE_FROM,
  SHAPE_SPACING,
  SHAPE_TO,
  UNIT_CLASS,
} from "../format/constants.ts";
import { exp2Sixteenths, log2Integer } from "./exact_math.ts";
import { createSymbolTable, type SymbolTable } from "./symbol_table.ts";

/**
 * The entropy model of quantization indices, a small Kolmogorov-Arnold network with two layers.
 * The first gives each symbol's log-scale as row function + column function (see `row_column_scales.ts`),
 * rounded to a class; the second gives the score of magnitude `a` in a class of log2 scale `s`,
 *
 *     score(a, s) = shape(log2 |x_a| - s) + bump_a(s),     P(a) ∝ 2^score,
 *
 * with |x_a| the reconstruction in steps, `shape` a cubic spline (the log-density of the normalised
 * weights) and `bump_0`, `bump_1`, `bump_2` piecewise linear functions that absorb what the density
 * at the bin's centre gets wrong for wide bins, and the dead zone of rate-distortion optimisation.
 * Each of the two quantizers of a trellis has bumps of its own. Being log-linear in its
 * coefficients, the model is fit by Newton's method to the global optimum.
 */
export interface SymbolModel {
  /** 1 for a uniform scalar quantizer, 2 for the two quantizers of a trellis. */
  readonly quantizers: 1 | 2;
  /** All coefficients in sixteenths of a bit: the shape's, then each quantizer's bumps. */
  readonly coefficients: Int32Array;
}

const SHAPE_INTERVALS = (SHAPE_TO - SHAPE_FROM) / SHAPE_SPACING;
/** Number of coefficients of the shape. */
export const SHAPE_COUNT = SHAPE_INTERVALS + 3;

/** Number of knots of a bump. */
export const BUMP_COUNT = BUMP_TO - BUMP_FROM + 1;
/** log2 of 0 .. 2 * LARGEST_MAGNITUDE; entry 0 is never used. */
const LOG2_INTEGERS = Float64Array.from(
  { length: 2 * LARGEST_MAGNITUDE + 2 },
  (_, value) => value === 0 ? 0 : log2Integer(value),
);

/** Number of coefficients of a model. */
export function coefficientCount(quantizers: 1 | 2): number {
  return SHAPE_COUNT + quantizers * BUMPED_MAGNITUDES * BUMP_COUNT;
}

/** The features that add up to a score: at most six (coefficient, value) pairs. */
export interface ScoreFeatures {
  /** Which coefficients take part. */
  readonly indices: number[];
  /** What each is multiplied by. */
  readonly values: number[];
}

/** log2 of a class's scale, in steps. */
function log2Scale(classIndex: number): number {
  return (classIndex - UNIT_CLASS) / CLASSES_PER_OCTAVE;
}

/** Low bits that a class stores as they are. */
export function rawBitsOf(quantizers: 1 | 2, classIndex: number): number {
  const indexScale = log2Scale(classIndex) - (quantizers === 2 ? 1 : 0);
  return Math.max(0, Math.ceil(indexScale - LARGEST_BUCKET_SCALE));
}

/** log2 of the reconstruction, in steps, of a bucket of magnitude `a` >= 1. */
function log2Magnitude(quantizers: 1 | 2, quantizer: number, a: number, rawBits: number): number {
  if (quantizers === 1) return LOG2_INTEGERS[a]! + rawBits;
  return LOG2_INTEGERS[rawBits === 0 && quantizer === 1 ? 2 * a - 1 : 2 * a]! + rawBits;
}

/** The features of bucket magnitude `a` in a class. */
export function scoreFeatures(
  quantizers: 1 | 2,
  quantizer: number,
  classIndex: number,
  a: number,
): ScoreFeatures {
  const scale = log2Scale(classIndex);
  const indices: number[] = [], values: number[] = [];
  if (a > 0) {
    const magnitude = log2Magnitude(quantizers, quantizer, a, rawBitsOf(quantizers, classIndex));
    addSplineFeatures(magnitude - scale, indices, values);
  }
  if (a < BUMPED_MAGNITUDES) {
    const first = SHAPE_COUNT + (quantizer * BUMPED_MAGNITUDES + a) * BUMP_COUNT;
    const position = Math.min(Math.max(scale, BUMP_FROM), BUMP_TO) - BUMP_FROM;
    const knot = Math.min(Math.floor(position), BUMP_COUNT - 2);
    indices.push(first + knot, first + knot + 1);
    values.push(1 - (position - knot), position - knot);
  }
  return { indices, values };
}

/** The four cubic B-splines on uniform knots that are not zero at `u`, clamped to their range. */
function addSplineFeatures(u: number, indices: number[], values: number[]): void {
  const position = (Math.min(Math.max(u, SHAPE_FROM), SHAPE_TO) - SHAPE_FROM) / SHAPE_SPACING;
  const interval = Math.min(Math.floor(position), SHAPE_INTERVALS - 1);
  const t = position - interval, r = 1 - t;
  indices.push(interval, interval + 1, interval + 2, interval + 3);
  values.push(
    r * r * r / 6,
    (3 * t * t * t - 6 * t * t + 4) / 6,
    (3 * r * r * r - 6 * r * r + 4) / 6,
    t * t * t / 6,
  );
}

/** The table of one quantizer and class; the same bits on every platform. */
export function symbolTableOf(
  model: SymbolModel,
  quantizer: number,
  classIndex: number,
): SymbolTable {
  const weights = new Float64Array(LARGEST_MAGNITUDE + 1);
  const scores = Int32Array.from(weights, (_, a) => {
    const { indices, values } = scoreFeatures(model.quantizers, quantizer, classIndex, a);
    let score = 0;
    for (let i = 0; i < indices.length; i++) {
      score += model.coefficients[indices[i]!]! * values[i]!;
    }
    return Math.floor(score + 0.5);
  });
  const best = scores.reduce((a, b) => Math.max(a, b));
  for (let a = 0; a < weights.length; a++) {
    weights[a] = exp2Sixteenths(Math.max(scores[a]! - best, LOWEST_SCORE));
  }
  return createSymbolTable(weights, rawBitsOf(model.quantizers, classIndex));
}

/** The tables of every class, [quantizer][class]. */
export function symbolTables(model: SymbolModel): SymbolTable[][] {
  return Array.from(
    { length: model.quantizers },
    (_, quantizer) =>
      Array.from({ length: CLASS_COUNT }, (_, index) => symbolTableOf(model, quantizer, index)),
  );
}

/** The model before any fit: a Laplacian density, whose mean magnitude is the class's scale. */
export function laplacianModel(quantizers: 1 | 2): SymbolModel {
  const coefficients = new Int32Array(coefficientCount(quantizers));
  const density = (u: number) => Math.max(-16 * Math.LOG2E * 2 ** u, -480);
  for (let i = 0; i < SHAPE_COUNT; i++) {
    coefficients[i] = Math.round(density(SHAPE_FROM + (i - 1) * SHAPE_SPACING));
  }
  return { quantizers, coefficients };
}
