/** A grid scale · q found by {@linkcode fitScale}. */
export interface ScaleFit {
  /** Distance of neighbouring values; may be negative. */
  readonly scale: number;
  /** Which value each takes: q. */
  readonly integers: Int32Array;
}

/** A grid scale · q + offset found by {@linkcode fitScaleAndOffset}. */
export interface OffsetFit extends ScaleFit {
  /** The value of integer 0; never positive. */
  readonly offset: number;
}

/** Candidate scales on each side of the one that just spans the values. */
const CANDIDATES = 12;
/** Rounds of rounding to the least-squares scale of the integers before. */
const REFINEMENTS = 6;

/**
 * The scale and integers, low ≤ q ≤ high, that make Σ w (x − scale · q)² small: candidates around the
 * scales that map the largest value to either end, each with its least-squares scale, the best of
 * them refined.
 */
export function fitScale(
  values: Float64Array,
  weights: Float64Array,
  low: number,
  high: number,
): ScaleFit {
  let extreme = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  const integers = new Int32Array(values.length);
  if (extreme === 0) return { scale: 0, integers };
  const weighted = values.map((value, i) => weights[i]! * value);
  const fit = (inverse: number) => {
    let cross = 0, square = 0;
    for (let i = 0; i < values.length; i++) {
      const integer = Math.min(Math.max(Math.floor(0.5 + inverse * values[i]!), low), high);
      cross += weighted[i]! * integer;
      square += weights[i]! * integer * integer;
    }
    return square > 0 ? { scale: cross / square, gain: cross * cross / square } : undefined;
  };
  let scale = extreme / low, gain = -1;
  for (const end of new Set([low, high])) {
    for (let i = -CANDIDATES; i <= CANDIDATES; i++) {
      const candidate = fit((end + Math.sign(end) * 0.1 * i) / extreme);
      if (candidate !== undefined && candidate.gain > gain) ({ scale, gain } = candidate);
    }
  }
  for (let round = 0; round < REFINEMENTS; round++) {
    const next = fit(1 / scale);
    if (next === undefined || next.gain <= gain) break;
    ({ scale, gain } = next);
  }
  for (let i = 0; i < values.length; i++) {
    integers[i] = Math.min(Math.max(Math.round(values[i]! / scale), low), high);
  }
  return { scale, integers };
}

/**
 * The same for a grid of integers 0 ≤ q ≤ top with an offset that is not positive: candidates around
 * the scale that spans the values, each with its least-squares scale and offset.
 */
export function fitScaleAndOffset(
  values: Float64Array,
  weights: Float64Array,
  top: number,
): OffsetFit {
  let low = 0, high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const count = values.length;
  const integers = new Int32Array(count);
  if (!(high > low)) return { scale: 0, offset: low, integers };
  // What the sums of least squares have whatever the integers are.
  const weighted = new Float64Array(count);
  let w = 0, wx = 0, wxx = 0;
  for (let k = 0; k < count; k++) {
    const weight = weights[k]!, value = values[k]!;
    weighted[k] = weight * value;
    w += weight;
    wx += weighted[k]!;
    wxx += weighted[k]! * value;
  }
  let best = { scale: (high - low) / top, offset: low, error: Infinity };
  for (let i = -CANDIDATES; i <= 2 * CANDIDATES; i++) {
    let scale = (high - low) / (top + 0.08 * i), offset = low;
    for (let round = 0; round < REFINEMENTS; round++) {
      let wl = 0, wll = 0, wxl = 0;
      for (let k = 0; k < count; k++) {
        const integer = Math.min(Math.max(Math.floor(0.5 + (values[k]! - offset) / scale), 0), top);
        const product = weights[k]! * integer;
        wl += product;
        wll += product * integer;
        wxl += weighted[k]! * integer;
      }
      const fit = leastSquares({ w, wl, wll, wx, wxl, wxx });
      if (fit === undefined || !(fit.error < best.error)) break;
      best = fit;
      ({ scale, offset } = fit);
    }
  }
  const { scale, offset } = best;
  for (let k = 0; k < count; k++) {
    integers[k] = Math.min(Math.max(Math.floor(0.5 + (values[k]! - offset) / scale), 0), top);
  }
  return { scale, offset, integers };
}

/** Weighted sums over a group: of weights w, integers l and values x. */
interface Sums {
  readonly w: number;
  readonly wl: number;
  readonly wll: number;
  readonly wx: number;
  readonly wxl: number;
  readonly wxx: number;
}

/** The best scale > 0 and offset ≤ 0 for given integers, and their weighted squared error. */
function leastSquares({ w, wl, wll, wx, wxl, wxx }: Sums) {
  const determinant = w * wll - wl * wl;
  if (!(determinant > 1e-12 * w * wll)) return undefined;
  let scale = (w * wxl - wl * wx) / determinant;
  let offset = (wll * wx - wl * wxl) / determinant;
  if (offset > 0) [scale, offset] = [wxl / wll, 0];
  if (!(scale > 0)) return undefined;
  const error = wxx - 2 * (scale * wxl + offset * wx) +
    scale * scale * wll + 2 * scale * offset * wl + offset * offset * w;
  return { scale, offset, error };
}
