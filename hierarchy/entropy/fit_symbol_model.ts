import { CLASS_COUNT, LARGEST_MAGNITUDE } from "../format/constants.ts";
import {
  BUMP_COUNT,
  coefficientCount,
  laplacianModel,
  type ScoreFeatures,
  scoreFeatures,
  SHAPE_COUNT,
  type SymbolModel,
} from "./symbol_model.ts";

/** Counts of bucket magnitudes, [(quantizer * CLASS_COUNT + class) * MAGNITUDES + magnitude]. */
export type MagnitudeCounts = Float64Array;

/** Magnitudes that a histogram tells apart. */
export const MAGNITUDES = LARGEST_MAGNITUDE + 1;

/** An empty histogram. */
export function emptyCounts(quantizers: 1 | 2): MagnitudeCounts {
  return new Float64Array(quantizers * CLASS_COUNT * MAGNITUDES);
}

/** Weight of the smoothness prior, in symbols: it decides only where there is no data. */
const SMOOTHNESS = 2;
/** Weight of the prior that pulls bumps to zero. */
const SHRINKAGE = 0.3;
const NEWTON_STEPS = 12;

/**
 * Maximum likelihood by Newton's method with step halving; the problem is convex. Deterministic.
 */
export function fitSymbolModel(
  quantizers: 1 | 2,
  counts: MagnitudeCounts,
  start: SymbolModel = laplacianModel(quantizers),
): SymbolModel {
  const cells = usedCells(quantizers, counts);
  const size = coefficientCount(quantizers);
  // Coefficients in nats while fitting.
  let current = Float64Array.from(start.coefficients, (c) => c / 16 * Math.LN2);
  const origin = Float64Array.from(
    laplacianModel(quantizers).coefficients,
    (c) => c / 16 * Math.LN2,
  );
  let loss = penalizedLoss(cells, current, origin);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const { gradient, hessian } = derivatives(cells, current, origin);
    const direction = solveCholesky(hessian, gradient, size);
    let scale = 1;
    let next = current, nextLoss = Infinity;
    for (; scale > 1e-3; scale /= 2) {
      next = current.map((value, i) => value - scale * direction[i]!);
      nextLoss = penalizedLoss(cells, next, origin);
      if (nextLoss < loss) break;
    }
    if (!(nextLoss < loss)) break;
    const gain = loss - nextLoss;
    current = next;
    loss = nextLoss;
    if (gain < 1e-7 * Math.abs(loss)) break;
  }
  const coefficients = Int32Array.from(current, (value) => Math.round(value * Math.LOG2E * 16));
  return { quantizers, coefficients };
}

/** One class of one quantizer with its histogram and features. */
interface Cell {
  readonly total: number;
  readonly counts: Float64Array;
  readonly features: readonly ScoreFeatures[];
}

function usedCells(quantizers: 1 | 2, counts: MagnitudeCounts): Cell[] {
  const cells: Cell[] = [];
  for (let quantizer = 0; quantizer < quantizers; quantizer++) {
    for (let index = 0; index < CLASS_COUNT; index++) {
      const first = (quantizer * CLASS_COUNT + index) * MAGNITUDES;
      const cellCounts = counts.subarray(first, first + MAGNITUDES);
      const total = cellCounts.reduce((sum, count) => sum + count, 0);
      if (total === 0) continue;
      const features = Array.from(
        cellCounts,
        (_, a) => scoreFeatures(quantizers, quantizer, index, a),
      );
      cells.push({ total, counts: cellCounts, features });
    }
  }
  return cells;
}

/** Scores in nats, with ln 2 for the two signs of a magnitude, and their log-sum. */
function logits(cell: Cell, coefficients: Float64Array): { scores: Float64Array; logSum: number } {
  const scores = new Float64Array(cell.features.length);
  let best = -Infinity;
  for (let a = 0; a < scores.length; a++) {
    const { indices, values } = cell.features[a]!;
    let score = a === 0 ? 0 : Math.LN2;
    for (let i = 0; i < indices.length; i++) score += coefficients[indices[i]!]! * values[i]!;
    scores[a] = score;
    if (score > best) best = score;
  }
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - best);
  return { scores, logSum: best + Math.log(sum) };
}

function penalizedLoss(cells: Cell[], coefficients: Float64Array, origin: Float64Array): number {
  let loss = 0;
  for (const cell of cells) {
    const { scores, logSum } = logits(cell, coefficients);
    for (let a = 0; a < scores.length; a++) {
      if (cell.counts[a]! > 0) loss += cell.counts[a]! * (logSum - scores[a]!);
    }
  }
  forEachPenalty(coefficients.length, (weight, terms) => {
    let value = 0;
    for (const [index, factor] of terms) value += factor * (coefficients[index]! - origin[index]!);
    loss += 0.5 * weight * value * value;
  });
  return loss;
}

function derivatives(cells: Cell[], coefficients: Float64Array, origin: Float64Array) {
  const size = coefficients.length;
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const mean = new Float64Array(size);
  for (const cell of cells) {
    const { scores, logSum } = logits(cell, coefficients);
    mean.fill(0);
    for (let a = 0; a < scores.length; a++) {
      const probability = Math.exp(scores[a]! - logSum);
      const { indices, values } = cell.features[a]!;
      const residual = cell.total * probability - cell.counts[a]!;
      for (let i = 0; i < indices.length; i++) {
        const row = indices[i]!, value = values[i]!;
        gradient[row] = gradient[row]! + residual * value;
        mean[row] = mean[row]! + probability * value;
        for (let j = 0; j < indices.length; j++) {
          const at = row * size + indices[j]!;
          hessian[at] = hessian[at]! + cell.total * probability * value * values[j]!;
        }
      }
    }
    for (let i = 0; i < size; i++) {
      if (mean[i] === 0) continue;
      for (let j = 0; j < size; j++) {
        hessian[i * size + j] = hessian[i * size + j]! - cell.total * mean[i]! * mean[j]!;
      }
    }
  }
  forEachPenalty(size, (weight, terms) => {
    let value = 0;
    for (const [index, factor] of terms) value += factor * (coefficients[index]! - origin[index]!);
    for (const [i, left] of terms) {
      gradient[i] = gradient[i]! + weight * value * left;
      for (const [j, right] of terms) {
        hessian[i * size + j] = hessian[i * size + j]! + weight * left * right;
      }
    }
  });
  return { gradient, hessian };
}

/** The quadratic prior: smooth departure from the Laplacian shape, small and smooth bumps. */
function forEachPenalty(
  size: number,
  visit: (weight: number, terms: readonly (readonly [index: number, factor: number])[]) => void,
): void {
  for (let i = 0; i < size; i++) visit(i < SHAPE_COUNT ? 1e-3 : SHRINKAGE, [[i, 1]]);
  for (let i = 2; i < SHAPE_COUNT; i++) visit(SMOOTHNESS, [[i - 2, 1], [i - 1, -2], [i, 1]]);
  for (let first = SHAPE_COUNT; first < size; first += BUMP_COUNT) {
    for (let i = first + 1; i < first + BUMP_COUNT; i++) visit(SMOOTHNESS, [[i - 1, 1], [i, -1]]);
  }
}

/**
 * Solves `matrix x = right` for a symmetric positive definite matrix; destroys `matrix`. This factors
 * L Lᵀ from the first row on, with a floor under pivots, for some twenty rows; `factorTriangle` in
 * metric/ factors U Uᵀ from the last row back, with a ridge, for thousands. The order of sums decides
 * the last bits, and those the bytes of files: neither can stand in for the other.
 */
export function solveCholesky(matrix: Float64Array, right: Float64Array, size: number) {
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      matrix[i * size + j] = i === j
        ? Math.sqrt(Math.max(sum, 1e-12))
        : sum / matrix[j * size + j]!;
    }
  }
  const solution = right.slice();
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i] = solution[i]! - matrix[i * size + k]! * solution[k]!;
    solution[i] = solution[i]! / matrix[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) {
      solution[i] = solution[i]! - matrix[k * size + i]! * solution[k]!;
    }
    solution[i] = solution[i]! / matrix[i * size + i]!;
  }
  return solution;
}
