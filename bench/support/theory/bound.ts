import { bisect } from "../../../hierarchy/matrix/bisect.ts";
import { blahutArimoto, type RatePoint, type Source } from "./blahut_arimoto.ts";

/** A rate-distortion function of squared error. */
export interface RateBound {
  /** The least bits per value for a mean squared error. */
  bitsAt(distortion: number): number;
  /** The least mean squared error for a rate in bits per value. */
  distortionAt(bits: number): number;
}

/** R(D) = ½ log2(variance / D). */
export function gaussianBound(variance = 1): RateBound {
  return {
    bitsAt: (distortion) => Math.max(0, 0.5 * Math.log2(variance / distortion)),
    distortionAt: (bits) => variance * 4 ** -bits,
  };
}

/** Part of a source: values that are `scale` times as large as the common shape. */
export interface ScaledPart {
  /** Factor of the values. */
  readonly scale: number;
  /** Share of all values, 0 to 1. */
  readonly share: number;
}

/** Slopes are tabulated at 2^(n/2). */
const FIRST_SLOPE = -6, LAST_SLOPE = 40;
/** Rates above this follow Shannon's lower bound to within the table's error. */
const HIGHEST_BITS = 5.5;

/**
 * The bound of values of one shape whose scales are known to both sides. All parts work at the same
 * slope: the reverse water-filling of any shape. Points between those of the table are interpolated.
 */
export function scaledBound(shape: Source, parts: readonly ScaledPart[]): RateBound {
  const table = tabulate(shape);
  const pointAt = (logSlope: number): RatePoint => {
    let bits = 0, distortion = 0;
    for (const { scale, share } of parts) {
      const own = interpolate(table, logSlope + 2 * Math.log2(scale));
      bits += share * own.bits;
      distortion += share * scale * scale * own.distortion;
    }
    return { bits, distortion };
  };
  return {
    bitsAt: (distortion) => pointWhere(pointAt, (point) => point.distortion > distortion).bits,
    distortionAt: (bits) => pointWhere(pointAt, (point) => point.bits < bits).distortion,
  };
}

function tabulate(shape: Source): RatePoint[] {
  const table: RatePoint[] = [];
  for (let n = FIRST_SLOPE; n <= LAST_SLOPE; n++) {
    const last = table.at(-1);
    table.push(
      last !== undefined && last.bits > HIGHEST_BITS
        ? { bits: last.bits + 0.25, distortion: last.distortion / Math.SQRT2 }
        : blahutArimoto(shape, 2 ** (n / 2)),
    );
  }
  return table;
}

function interpolate(table: readonly RatePoint[], logSlope: number): RatePoint {
  const position = Math.min(Math.max(2 * logSlope - FIRST_SLOPE, 0), table.length - 1.001);
  const low = Math.floor(position), t = position - low;
  const a = table[low]!, b = table[low + 1]!;
  return {
    bits: a.bits + t * (b.bits - a.bits),
    distortion: a.distortion ** (1 - t) * b.distortion ** t,
  };
}

/** The point at the slope up to which `isTooFlat` holds. */
function pointWhere(
  pointAt: (logSlope: number) => RatePoint,
  isTooFlat: (point: RatePoint) => boolean,
): RatePoint {
  const range = [FIRST_SLOPE / 2, LAST_SLOPE / 2] as const;
  const [low, high] = bisect(range, (slope) => isTooFlat(pointAt(slope)), 50);
  return pointAt((low + high) / 2);
}
