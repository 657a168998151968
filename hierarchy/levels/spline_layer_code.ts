import { MODELLED_BITS, SPLINE_ORDER } from "../format/constants.ts";
import { putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import type { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import { logScale, scaleOf } from "./log_scale.ts";
import type { SplineLayer } from "./spline_layer.ts";

/** Everything but the numbers of a {@linkcode SplineLayer}. */
export type SplineLayerShape = Omit<SplineLayer, "coefficients">;

/** Bits of a coefficient of this many bits that are stored as they are. */
export function lowBitsOf(bits: number): number {
  return Math.max(0, bits - MODELLED_BITS);
}

/**
 * Codes a layer, its coefficients rounded to `bits` bits (2 to 16) at a step per output. The
 * coefficients of all functions at one place on the grid have a distribution of their own: those at
 * its ends are large.
 */
export function putSplineLayer(encoder: RansEncoder, layer: SplineLayer, bits: number): void {
  const { inputDim, outputDim, intervals, coefficients } = layer;
  const size = intervals + SPLINE_ORDER;
  const largest = new Float64Array(outputDim);
  coefficients.forEach((value, i) => {
    largest[i % outputDim] = Math.max(largest[i % outputDim]!, Math.abs(value));
  });
  const top = 2 ** (bits - 1) - 1;
  const codes = Int32Array.from(largest, (value) => logScale(value / top));
  putIntegers(encoder, codes);
  const steps = Float64Array.from(codes, scaleOf);
  const lowBits = lowBitsOf(bits);
  for (let place = 0; place < size; place++) {
    const integers = new Int32Array(inputDim * outputDim);
    for (let i = 0; i < inputDim; i++) {
      for (let o = 0; o < outputDim; o++) {
        const step = steps[o]!;
        const value = coefficients[(i * size + place) * outputDim + o]!;
        integers[i * outputDim + o] = step === 0 ? 0 : Math.round(value / step);
      }
    }
    putIntegers(encoder, integers.map((integer) => integer >> lowBits));
    for (const integer of integers) encoder.putBits(integer & ((1 << lowBits) - 1), lowBits);
  }
}

/** Reads a layer that {@linkcode putSplineLayer} wrote; the same bits on every platform. */
export function takeSplineLayer(
  decoder: RansDecoder,
  shape: SplineLayerShape,
  bits: number,
): SplineLayer {
  const { inputDim, outputDim, intervals, range } = shape;
  const size = intervals + SPLINE_ORDER;
  const steps = Float64Array.from(takeIntegers(decoder, outputDim), scaleOf);
  const lowBits = lowBitsOf(bits);
  const coefficients = new Float32Array(inputDim * size * outputDim);
  for (let place = 0; place < size; place++) {
    const high = takeIntegers(decoder, inputDim * outputDim);
    for (let i = 0; i < inputDim; i++) {
      for (let o = 0; o < outputDim; o++) {
        const integer = (high[i * outputDim + o]! << lowBits) | decoder.takeBits(lowBits);
        coefficients[(i * size + place) * outputDim + o] = integer * steps[o]!;
      }
    }
  }
  return { inputDim, outputDim, intervals, range, coefficients };
}
