import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/random.ts";
import { putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import {
  createFlatSignalWriter,
  type FlatSignal,
  flattenSignal,
  signalLength,
} from "./flat_signal.ts";
import type {
  EncodeContext,
  EncodedLevel,
  Level,
  LevelParameters,
  MatrixShape,
  Signal,
} from "./level.ts";
import type { LevelCodec } from "./level_codec.ts";
import { scaleOf } from "./log_scale.ts";
import { DEFAULT_COEFFICIENT_BITS, DEFAULT_INTERVALS } from "./plan_autoencoder.ts";
import { applySplineLayer, SPLINE_ORDER, type SplineLayer } from "./spline_layer.ts";
import { putSplineLayer, takeSplineLayer } from "./spline_layer_code.ts";
import { damaged, integerParameter, positiveParameter, storedStream } from "./stored_level.ts";
import { trainAutoencoder, type TrainingOptions, yieldToEventLoop } from "./train_autoencoder.ts";

/** Settings that autoencoder levels share. */
export interface AutoencoderOptions extends TrainingOptions {
  /** Grid intervals of every spline, 1 to 64; 4 by default. */
  readonly intervals?: number;
  /** Bits of a stored decoder coefficient, 2 to 16; 8 by default. */
  readonly coefficientBits?: number;
}

/** Settings of one autoencoder level. */
export interface AutoencoderLevelOptions extends AutoencoderOptions {
  /** Latents of a block, 1 to 4096. */
  readonly hiddenDim: number;
  /** Values in a block, 1 to 8192; twice `hiddenDim` by default. */
  readonly blockSize?: number;
}

/** Settings of a hierarchy of autoencoder levels. */
export interface AutoencoderLevelsOptions extends AutoencoderOptions {
  /** Latents of a block at each level, outermost first, such as `[512, 256, 128]`. */
  readonly hiddenDims: readonly number[];
  /** Weights in a block of the first level; twice the first hidden dimension by default. */
  readonly blockSize?: number;
}

/** Name of the level in files. */
const KIND = "autoencoder";

const LARGEST_HIDDEN_DIM = 4096;
const LARGEST_BLOCK = 8192;
const LARGEST_INTERVALS = 64;
/** Coefficients of a decoder. */
const LARGEST_DECODER = 2 ** 26;

/** Values that are encoded or decoded at a time. */
const VALUES_AT_A_TIME = 1 << 18;

/**
 * A level that flattens its signal into one vector, cuts it into blocks, and hands on what a
 * Kolmogorov-Arnold encoder makes of each block: the latent, one row a block. The decoder, a KAN
 * layer of cubic B-splines trained together with the encoder, is quantized and stored; the encoder
 * is thrown away. Throws {@linkcode InputError} for settings out of range and for weights that are
 * not finite.
 *
 * A latent of half the size leaves about half of the energy of trained weights unexplained, because
 * inside a tensor they are close to independent (rate-distortion theory); `parameters.energyLeft`
 * of the encoded level tells.
 *
 * ```ts
 * import { createAutoencoderLevel, decodeAutoencoder } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const wave = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i / 9));
 * const signal = [{ name: "wave", rows: 64, columns: 64, data: wave }];
 * const level = createAutoencoderLevel({ hiddenDim: 4, blockSize: 8, steps: 60 });
 * const { encoded, handsOn } = await level.encode(signal, { seed: 1 });
 * assert.equal(handsOn[0]!.columns, 4);
 * assert.ok(Number(encoded.parameters.energyLeft) < 0.1);
 * assert.equal(decodeAutoencoder(encoded, handsOn, signal)[0]!.data.length, 4096);
 * ```
 */
export function createAutoencoderLevel(options: AutoencoderLevelOptions): Level {
  const { hiddenDim, blockSize = 2 * hiddenDim } = options;
  const { intervals = DEFAULT_INTERVALS, coefficientBits = DEFAULT_COEFFICIENT_BITS } = options;
  requireInteger("hiddenDim", hiddenDim, 1, LARGEST_HIDDEN_DIM);
  requireInteger("blockSize", blockSize, 1, LARGEST_BLOCK);
  requireInteger("intervals", intervals, 1, LARGEST_INTERVALS);
  requireInteger("coefficientBits", coefficientBits, 2, 16);
  if (coefficientCount(hiddenDim, blockSize, intervals) > LARGEST_DECODER) {
    throw new InputError(`hiddenDim: ${hiddenDim} of ${blockSize} is too wide; ask for less`);
  }
  return {
    kind: KIND,
    async encode(signal, context) {
      const flat = flattenSignal(signal);
      const side = new RansEncoder();
      putIntegers(side, flat.scaleCodes);
      if (flat.scaleCodes.every((code) => scaleOf(code) === 0)) {
        return { encoded: stored({ hiddenDim: 0 }, side), handsOn: [] };
      }
      const training = { ...options, blockSize, hiddenDim, intervals };
      const trained = await trainAutoencoder(flat, training, createRandom(context.seed), {
        ...context,
        onProgress: (share) => context.onProgress?.(0.8 * share),
      });
      putSplineLayer(side, trained.decoder, coefficientBits);
      const { range } = trained.decoder;
      const settings = { blockSize, hiddenDim, intervals, range, coefficientBits };
      const encoded = stored(settings, side);
      const { decoder } = readStored(encoded, signal);
      const { latent, energyLeft } = await encodeBlocks(flat, trained.encoder, decoder!, context);
      return { encoded: stored({ ...settings, energyLeft }, side), handsOn: latent };
    },
  };
}

function stored(parameters: LevelParameters, side: RansEncoder): EncodedLevel {
  return { kind: KIND, parameters, streams: new Map([["decoder", side.finish()]]) };
}

/**
 * The nested hierarchy of the founding description: each level compresses the latent of the level
 * before, and the last latent is left for a coding level.
 *
 * ```ts
 * import { createAutoencoderLevels } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * assert.equal(createAutoencoderLevels({ hiddenDims: [512, 256, 128] }).length, 3);
 * ```
 */
export function createAutoencoderLevels(options: AutoencoderLevelsOptions): Level[] {
  const { hiddenDims, blockSize, ...shared } = options;
  if (hiddenDims.length === 0) throw new InputError("hiddenDims: is empty; give one width or more");
  return hiddenDims.map((hiddenDim, level) => {
    const input = level === 0 ? blockSize ?? 2 * hiddenDim : hiddenDims[level - 1]!;
    return createAutoencoderLevel({ ...shared, hiddenDim, blockSize: input });
  });
}

/** Reads autoencoder levels; the same bits on every platform. */
export const autoencoderCodec: LevelCodec = {
  kind: KIND,
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
function readStored(
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

/** The latent of every block, and the share of the energy that its reconstruction misses. */
async function encodeBlocks(
  flat: FlatSignal,
  encoder: SplineLayer,
  decoder: SplineLayer,
  context: EncodeContext,
): Promise<{ latent: Signal; energyLeft: number }> {
  const { inputDim: blockSize, outputDim: hiddenDim } = encoder;
  const rows = Math.ceil(flat.length / blockSize);
  const data = new Float32Array(rows * hiddenDim);
  let energy = 0, missed = 0;
  for (const [start, count] of chunks(rows, blockSize)) {
    await yieldToEventLoop();
    context.signal?.throwIfAborted();
    context.onProgress?.(0.8 + 0.2 * start / rows);
    const values = new Float32Array(count * blockSize);
    flat.read(start * blockSize, values);
    const latent = applySplineLayer(encoder, values, count);
    clampInPlace(latent, decoder.range);
    data.set(latent, start * hiddenDim);
    const decoded = applySplineLayer(decoder, latent, count);
    for (let i = 0; i < values.length; i++) {
      energy += values[i]! * values[i]!;
      missed += (values[i]! - decoded[i]!) ** 2;
    }
  }
  context.onProgress?.(1);
  const energyLeft = Math.round(1e4 * missed / energy) / 1e4;
  return { latent: [{ name: "latent", rows, columns: hiddenDim, data }], energyLeft };
}

/** Start and number of rows of each chunk. */
function* chunks(rows: number, rowLength: number): Generator<readonly [number, number]> {
  const step = Math.max(1, Math.floor(VALUES_AT_A_TIME / rowLength));
  for (let start = 0; start < rows; start += step) yield [start, Math.min(step, rows - start)];
}

function clampInPlace(values: Float32Array, range: number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(Math.max(values[i]!, -range), range);
  }
}

function coefficientCount(inputDim: number, outputDim: number, intervals: number): number {
  return inputDim * outputDim * (intervals + SPLINE_ORDER);
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InputError(`${name}: ${value} is not an integer from ${least} to ${most}`);
  }
}
