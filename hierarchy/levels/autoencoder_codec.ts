import { SPLINE_ORDER } from "../format/constants.ts";
import { takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder } from "../entropy/rans.ts";
import { createFlatSignalWriter, signalLength } from "./flat_matrices.ts";
import type { EncodedLevel } from "./level.ts";
import type { MatrixShape, Signal } from "../matrix/matrix.ts";
import type { LevelCodec } from "./level_codec.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";
import { takeSplineLayer } from "./spline_layer_code.ts";
import { damaged, integerParameter, positiveParameter, storedStream } from "./stored_level.ts";

/** Name of the level in files. */
export const AUTOENCODER_KIND = "autoencoder";

/** Most latents of a block. */
export const LARGEST_HIDDEN_DIM = 4096;
/** Most values in a block. */
export const LARGEST_BLOCK = 8192;
/** Most grid intervals of a spline. */
export const LARGEST_INTERVALS = 64;
/** Most coefficients of a decoder. */
export const LARGEST_DECODER = 2 ** 26;

/** Values that are encoded or decoded at a time. */
const VALUES_AT_A_TIME = 1 << 18;

/** Reads autoencoder levels; the same bits on every platform. */
export const autoencoderCodec: LevelCodec = {
  kind: AUTOENCODER_KIND,
  decode: decodeAutoencoder,
  handsOnShapes(encoded, shapes) {
    const columns = integerParameter(encoded, "hiddenDim", 0, LARGEST_HIDDEN_DIM);
    if (columns === 0) return [];
    const blockSize = integerParameter(encoded, "blockSize", 1, LARGEST_BLOCK);
    return [{ name: "latent", rows: Math.ceil(signalLength(shapes) / blockSize), columns }];
  },
};

/**
 * Decodes an autoencoder level: the stored KAN decoder applied to each row of the latent. Throws
 * {@linkcode InputError} where the level contradicts itself.
 */
export function decodeAutoencoder(
  encoded: EncodedLevel,
  handedOn: Signal,
  shapes: readonly MatrixShape[],
): Signal {
  const { scaleCodes, decoder } = readStored(encoded, shapes);
  const writer = createFlatSignalWriter(scaleCodes, shapes);
  if (decoder === undefined) return writer.signal;
  const { inputDim, outputDim } = decoder;
  const blocks = Math.ceil(signalLength(shapes) / outputDim);
  const [latent] = handedOn;
  if (latent?.rows !== blocks || latent.columns !== inputDim) {
    const found = latent === undefined ? "nothing" : `${latent.rows} x ${latent.columns}`;
    throw damaged(encoded, `the latent is ${found}, expected ${blocks} x ${inputDim}`);
  }
  for (const [start, count] of chunks(blocks, outputDim)) {
    const rows = latent.data.subarray(start * inputDim, (start + count) * inputDim);
    writer.write(start * outputDim, applySplineLayer(decoder, rows, count));
  }
  return writer.signal;
}

/** What the level's stream holds; no decoder where every weight is zero. */
export function readStored(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
): { scaleCodes: Int32Array; decoder?: SplineLayer } {
  const side = new RansDecoder(storedStream(encoded, "decoder"));
  const scaleCodes = takeIntegers(side, shapes.length);
  const inputDim = integerParameter(encoded, "hiddenDim", 0, LARGEST_HIDDEN_DIM);
  if (inputDim === 0) return { scaleCodes };
  const outputDim = integerParameter(encoded, "blockSize", 1, LARGEST_BLOCK);
  const intervals = integerParameter(encoded, "intervals", 1, LARGEST_INTERVALS);
  const bits = integerParameter(encoded, "coefficientBits", 2, 16);
  const range = positiveParameter(encoded, "range");
  if (coefficientCount(inputDim, outputDim, intervals) > LARGEST_DECODER) {
    throw damaged(encoded, "its decoder claims to be larger than any");
  }
  const decoder = takeSplineLayer(side, { inputDim, outputDim, intervals, range }, bits);
  if (!side.isAtEnd()) throw damaged(encoded, "its stream does not decode to its end");
  return { scaleCodes, decoder };
}

/** Coefficients of a decoder of these sizes. */
export function coefficientCount(inputDim: number, outputDim: number, intervals: number): number {
  return inputDim * outputDim * (intervals + SPLINE_ORDER);
}

/** Start and number of rows of each chunk. */
export function* chunks(rows: number, rowLength: number): Generator<readonly [number, number]> {
  const step = Math.max(1, Math.floor(VALUES_AT_A_TIME / rowLength));
  for (let start = 0; start < rows; start += step) yield [start, Math.min(step, rows - start)];
}
