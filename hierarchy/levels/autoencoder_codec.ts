import { SPLINE_ORDER } from "../format/constants.ts";
import { fewestBits, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder } from "../entropy/rans.ts";
import { createFlatMatricesWriter, signalLength } from "./flat_matrices.ts";
import type { EncodedLevel } from "./level.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";
import type { LevelCodec } from "./level_codec.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";
import { lowBitsOf, takeSplineLayer } from "./spline_layer_code.ts";
import { finish, type Steps } from "../../workers/steps.ts";
import {
  damaged,
  integerParameter,
  positiveParameter,
  requireRoom,
  requireStreams,
  storedStream,
} from "./stored_level.ts";

/** Name of the level in files. */
export const AUTOENCODER_KIND = "autoencoder";

/** Most latents of a block. */
export const LARGEST_HIDDEN_DIM = 4096;
/** Most values in a block. */
export const LARGEST_BLOCK = 8192;
/** Most grid intervals of a spline. */
export const LARGEST_INTERVALS = 64;
/** Most latents for each value of a block. */
export const LARGEST_EXPANSION = 4;
/** Most coefficients of a decoder. */
export const LARGEST_DECODER = 2 ** 26;

/** Functions that are evaluated at a time: some milliseconds. */
const WORK_AT_A_TIME = 1 << 22;

/** Reads autoencoder levels; the same bits on every platform. */
export const autoencoderCodec: LevelCodec = {
  kind: AUTOENCODER_KIND,
  decode: decodeBlocks,
  check: checkAutoencoder,
  outputShapes(encoded, shapes) {
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
  output: Matrices,
  shapes: readonly MatrixShape[],
): Matrices {
  return finish(decodeBlocks(encoded, output, shapes));
}

function* decodeBlocks(
  encoded: EncodedLevel,
  output: Matrices,
  shapes: readonly MatrixShape[],
): Steps<Matrices> {
  const { scaleCodes, decoder } = readStored(encoded, shapes);
  const writer = createFlatMatricesWriter(scaleCodes, shapes);
  if (decoder === undefined) return writer.matrices;
  const { inputDim, outputDim } = decoder;
  const blocks = Math.ceil(signalLength(shapes) / outputDim);
  const [latent] = output;
  if (latent?.rows !== blocks || latent.columns !== inputDim) {
    const found = latent === undefined ? "nothing" : `${latent.rows} x ${latent.columns}`;
    throw damaged(encoded, `the latent is ${found}, expected ${blocks} x ${inputDim}`);
  }
  for (const [start, count] of chunks(blocks, decoder)) {
    yield;
    const rows = latent.data.subarray(start * inputDim, (start + count) * inputDim);
    writer.write(start * outputDim, applySplineLayer(decoder, rows, count));
  }
  return writer.matrices;
}

/** Throws where a parameter is out of range, or the stream too short for such a decoder. */
function checkAutoencoder(encoded: EncodedLevel, shapes: readonly MatrixShape[]): void {
  requireStreams(encoded, ["decoder"]);
  requireRoom(encoded, "decoder", fewestBits(1, shapes.length), [], () => 0);
  const sizes = decoderSizes(encoded);
  if (sizes === undefined) return;
  const { inputDim, outputDim, intervals, bits } = sizes;
  if (inputDim > LARGEST_EXPANSION * outputDim) {
    throw damaged(encoded, `it has ${inputDim} latents for blocks of ${outputDim} values`);
  }
  const places = intervals + SPLINE_ORDER;
  const functions = inputDim * outputDim;
  if (functions * places > LARGEST_DECODER) {
    throw damaged(encoded, "its decoder claims to be larger than any");
  }
  const lowBits = places * functions * lowBitsOf(bits);
  const needed = fewestBits(2 + places, shapes.length + outputDim + places * functions) + lowBits;
  requireRoom(encoded, "decoder", needed, [], () => 0);
}

/** The sizes of the decoder; undefined if there is none, because every weight is zero. */
function decoderSizes(encoded: EncodedLevel) {
  const inputDim = integerParameter(encoded, "hiddenDim", 0, LARGEST_HIDDEN_DIM);
  if (inputDim === 0) return undefined;
  return {
    inputDim,
    outputDim: integerParameter(encoded, "blockSize", 1, LARGEST_BLOCK),
    intervals: integerParameter(encoded, "intervals", 1, LARGEST_INTERVALS),
    bits: integerParameter(encoded, "coefficientBits", 2, 16),
    range: positiveParameter(encoded, "range"),
  };
}

/** What the level's stream holds; no decoder where every weight is zero. */
export function readStored(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
): { scaleCodes: Int32Array; decoder?: SplineLayer } {
  checkAutoencoder(encoded, shapes);
  const side = new RansDecoder(storedStream(encoded, "decoder"));
  const scaleCodes = takeIntegers(side, shapes.length);
  const sizes = decoderSizes(encoded);
  const decoder = sizes && takeSplineLayer(side, sizes, sizes.bits);
  if (!side.isAtEnd()) throw damaged(encoded, "its stream does not decode to its end");
  return { scaleCodes, ...(decoder && { decoder }) };
}

/** Coefficients of a decoder of these sizes. */
export function coefficientCount(inputDim: number, outputDim: number, intervals: number): number {
  return inputDim * outputDim * (intervals + SPLINE_ORDER);
}

/** Start and number of rows of each chunk of what a layer is applied to. */
export function* chunks(
  rows: number,
  { inputDim, outputDim }: Pick<SplineLayer, "inputDim" | "outputDim">,
): Generator<readonly [number, number]> {
  const step = Math.max(1, Math.floor(WORK_AT_A_TIME / (inputDim * outputDim)));
  for (let start = 0; start < rows; start += step) yield [start, Math.min(step, rows - start)];
}
