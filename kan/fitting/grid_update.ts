import { requireFinite, requireInteger, requireNumber } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import type { Basis } from "../bases/basis.ts";
import { createBsplines, gridOf } from "../bases/bspline.ts";
import { forwardLayer } from "../engine/layer_pass.ts";
import { type Grid, gridFromBreaks } from "../bases/grid.ts";
import { designMatrix, type KanLayerModel } from "../model/layer_model.ts";
import { leastSquares, type Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import { toScaled } from "../model/scaling.ts";

/** Share of an evenly spaced grid in an updated one, as in pykan. */
const UNIFORM_SHARE = 0.02;
/**
 * Where curves end flat, the ends of their grids lie this share of the range beyond the samples: on
 * an end itself the curve has a kink, and a step along the gradient need not lower the loss.
 */
const CLAMP_MARGIN = 1e-3;
/** Ridge for each sample where there may be fewer samples than coefficients. */
const RIDGE = 1e-14;

/**
 * A grid that follows the samples: each break is `uniformShare` of an evenly spaced one and the rest
 * of a quantile, sorted sample floor(N i / G) and the last; outer knots step by range / G (pykan's
 * `update_grid_from_samples`). If all samples are equal, the grid moves to them at its old width.
 *
 * @param margin How far the ends are beyond the extreme samples, as a share of the range; 0 if omitted.
 * @throws RangeError if there are no samples or one is not finite.
 *
 * ```ts
 * import { gridFromSamples } from "@kanpress/kanpress/kan";
 * import { uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const grid = gridFromSamples(uniformGrid({ intervals: 2, order: 1 }), [0, 1, 2, 10], 0);
 * assert.deepEqual(grid.knots, [-5, 0, 2, 10, 15]);
 * ```
 */
export function gridFromSamples(
  grid: Grid,
  samples: ArrayLike<number>,
  uniformShare: number = UNIFORM_SHARE,
  margin: number = 0,
): Grid {
  requireInteger("the number of samples", samples.length, 1);
  requireFinite("samples", samples);
  requireNumber("uniformShare", uniformShare, { least: 0, most: 1 });
  requireNumber("margin", margin, { least: 0 });
  const sorted = Float64Array.from(samples).sort();
  const { intervals, order, range } = grid;
  const start = sorted[0]!, end = sorted.at(-1)!;
  const least = (range[1] - range[0]) * 1e-9 + Math.max(Math.abs(start), Math.abs(end)) * 1e-12;
  if (end - start <= least) {
    // Far from zero the old width may be less than numbers can tell apart.
    const half = Math.max((range[1] - range[0]) / 2, Math.abs(start) * 1e-12 * intervals);
    const breaks = Float64Array.from({ length: intervals + 1 }, (_, i) => {
      return start + half * (2 * i / intervals - 1);
    });
    return gridFromBreaks(breaks, order);
  }
  const breaks = Float64Array.from({ length: intervals + 1 }, (_, i) => {
    if (i === 0) return start - margin * (end - start);
    if (i === intervals) return end + margin * (end - start);
    const uniform = start + (end - start) * (i / intervals);
    const quantile = sorted[Math.floor(sorted.length * i / intervals)]!;
    return uniformShare * uniform + (1 - uniformShare) * quantile;
  });
  return gridFromBreaks(breaks, order);
}

/**
 * The model with every B-spline grid moved to where the inputs of its layer are, and coefficients
 * refitted so that each spline keeps its shape at the samples; one grid for each input. Layers of
 * other bases stay as they are.
 *
 * @param inputs [samples, inputs of the model].
 * @param uniformShare See {@link gridFromSamples}; .02 if omitted.
 * @param which Indices of the layers whose grids move; all if omitted.
 * @throws RangeError if there are no samples, or naming the input whose samples no grid can follow.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom, updateGrids } from "@kanpress/kanpress/kan";
 * import { gridOf } from "@kanpress/kanpress/kan/bases";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const updated = updateGrids(model, samplesFrom([[-3], [0], [4]]));
 * assert.deepEqual(gridOf(updated.layers[0]!.bases[0]!)!.range, [-3, 4]);
 * ```
 */
export function updateGrids(
  model: KanModel,
  inputs: Samples,
  uniformShare: number = UNIFORM_SHARE,
  which?: readonly number[],
): KanModel {
  requireModelAndInputs(model, inputs, 1);
  requireNumber("uniformShare", uniformShare, { least: 0, most: 1 });
  let data = toScaled(inputs.data, model.scaling?.inputs);
  const layers = model.layers.map((layer, l) => {
    const updated = which?.includes(l) === false
      ? layer
      : updateLayer(layer, l, data, inputs.rows, uniformShare);
    data = forwardLayer(updated, data, inputs.rows, { edges: false, slopes: false }).nodes;
    return updated;
  });
  return { ...model, layers };
}

function updateLayer(
  layer: KanLayerModel,
  l: number,
  data: Float64Array,
  rows: number,
  uniformShare: number,
): KanLayerModel {
  const { inputDim } = layer;
  const columns = Array.from({ length: inputDim }, (_, i) => {
    return Float64Array.from({ length: rows }, (_, row) => data[row * inputDim + i]!);
  });
  const bases = columns.map((column, i) => {
    const basis = basisOfInput(layer, i), grid = gridOf(basis);
    if (grid === undefined) return basis;
    try {
      const { extrapolation } = basis;
      const margin = extrapolation === "clamp" ? CLAMP_MARGIN : 0;
      return createBsplines(gridFromSamples(grid, column, uniformShare, margin), extrapolation);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new RangeError(`input ${i} of layer ${l}: ${error.message}`);
    }
  });
  if (layer.bases.every((basis) => gridOf(basis) === undefined)) return layer;
  return withBases(layer, bases, columns);
}

/**
 * The layer on new bases of one size, its splines refitted: over the whole new range and, if there
 * are samples, then corrected to fit best at them.
 */
export function withBases(
  layer: KanLayerModel,
  bases: readonly Basis[],
  samples?: readonly Float64Array[],
): KanLayerModel {
  const { inputDim, outputDim } = layer;
  const size = bases[0]!.size;
  const coefficients = new Float64Array(inputDim * size * outputDim);
  for (let i = 0; i < inputDim; i++) {
    const from = basisOfInput(layer, i), to = bases[bases.length === 1 ? 0 : i]!;
    const old: Samples = {
      rows: from.size,
      columns: outputDim,
      data: layer.coefficients.subarray(i * from.size * outputDim, (i + 1) * from.size * outputDim),
    };
    let fit = refit(from, to, old, fitPoints(to));
    if (samples !== undefined) fit = refit(from, to, old, samples[i]!, fit);
    coefficients.set(fit.data, i * size * outputDim);
  }
  return { ...layer, bases, coefficients };
}

/** The basis of one input of a layer. */
export function basisOfInput(layer: KanLayerModel, input: number): Basis {
  return layer.bases[layer.bases.length === 1 ? 0 : input]!;
}

/** Coefficients on `to` for the curves that `old` has on `from`, by least squares at the points. */
function refit(
  from: Basis,
  to: Basis,
  old: Samples,
  points: Float64Array,
  prior?: Samples,
): Samples {
  const curves = product(designMatrix(from, points), old);
  const design = designMatrix(to, points);
  if (prior === undefined) return leastSquares(design, curves);
  // Only the difference is fitted, so that functions without samples keep what they have.
  const already = product(design, prior);
  const rest = { ...curves, data: curves.data.map((value, at) => value - already.data[at]!) };
  const correction = leastSquares(design, rest, RIDGE * points.length);
  return { ...prior, data: prior.data.map((value, at) => value + correction.data[at]!) };
}

/** order + 1 points inside every interval: they determine a spline, and miss no part of the range. */
function fitPoints(basis: Basis): Float64Array {
  const { order, intervals, knots } = gridOf(basis)!;
  const points: number[] = [];
  for (let interval = 0; interval < intervals; interval++) {
    const start = knots[order + interval]!, width = knots[order + interval + 1]! - start;
    if (width === 0) continue;
    for (let p = 0; p <= order; p++) points.push(start + width * (p + 0.5) / (order + 1));
  }
  return Float64Array.from(points);
}

function product(a: Samples, b: Samples): Samples {
  const data = new Float64Array(a.rows * b.columns);
  for (let row = 0; row < a.rows; row++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[row * a.columns + k]!;
      if (factor === 0) continue;
      for (let c = 0; c < b.columns; c++) {
        data[row * b.columns + c]! += factor * b.data[k * b.columns + c]!;
      }
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}
