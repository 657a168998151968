import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { putIntegers } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";
import {
  AUTOENCODER_KIND,
  chunks,
  coefficientCount,
  LARGEST_BLOCK,
  LARGEST_DECODER,
  LARGEST_EXPANSION,
  LARGEST_HIDDEN_DIM,
  LARGEST_INTERVALS,
  readStored,
} from "./autoencoder_codec.ts";
import { type FlatMatrices, flattenMatrices } from "./flat_matrices.ts";
import type { EncodeContext, EncodedLevel, Level, LevelParameters } from "./level.ts";
import type { Matrices } from "../matrix/matrix.ts";
import { scaleOf } from "./log_scale.ts";
import { DEFAULT_COEFFICIENT_BITS, DEFAULT_INTERVALS } from "./plan_autoencoder.ts";
import { createBreaks } from "../../workers/steps.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";
import { putSplineLayer } from "./spline_layer_code.ts";
import type { TrainingOptions } from "./train_autoencoder.ts";

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

/**
 * A level that flattens its matrices into one vector, cuts it into blocks, and has as output what a
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
 * import { createAutoencoderLevel } from "./autoencoder_level.ts";
 * import { decodeAutoencoder } from "./autoencoder_codec.ts";
 * import assert from "node:assert";
 *
 * const wave = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i / 9));
 * const matrices = [{ name: "wave", rows: 64, columns: 64, data: wave }];
 * const level = createAutoencoderLevel({ hiddenDim: 4, blockSize: 8, steps: 60 });
 * const { encoded, output } = await level.encode(matrices, { seed: 1 });
 * assert.equal(output[0]!.columns, 4);
 * assert.ok(Number(encoded.parameters.energyLeft) < 0.1);
 * assert.equal(decodeAutoencoder(encoded, output, matrices)[0]!.data.length, 4096);
 * ```
 */
export function createAutoencoderLevel(options: AutoencoderLevelOptions): Level {
  const { hiddenDim, blockSize = 2 * hiddenDim } = options;
  const { intervals = DEFAULT_INTERVALS, coefficientBits = DEFAULT_COEFFICIENT_BITS } = options;
  requireInteger("hiddenDim", hiddenDim, 1, LARGEST_HIDDEN_DIM);
  requireInteger("blockSize", blockSize, 1, LARGEST_BLOCK);
  requireInteger("intervals", intervals, 1, LARGEST_INTERVALS);
  requireInteger("coefficientBits", coefficientBits, 2, 16);
  if (hiddenDim > LARGEST_EXPANSION * blockSize) {
    throw new InputError(
      `hiddenDim: ${hiddenDim} is more than ${LARGEST_EXPANSION} times blockSize; ask for less`,
    );
  }
  if (coefficientCount(hiddenDim, blockSize, intervals) > LARGEST_DECODER) {
    throw new InputError(`hiddenDim: ${hiddenDim} of ${blockSize} is too wide; ask for less`);
  }
  return {
    kind: AUTOENCODER_KIND,
    async encode(matrices, context) {
      const flat = flattenMatrices(matrices);
      const side = new RansEncoder();
      putIntegers(side, flat.scaleCodes);
      if (flat.scaleCodes.every((code) => scaleOf(code) === 0)) {
        return { encoded: stored({ hiddenDim: 0 }, side), output: [] };
      }
      // The other levels need no tfjs: programs without it can use them.
      const { trainAutoencoder } = await import("./train_autoencoder.ts");
      const training = { ...options, blockSize, hiddenDim, intervals };
      const trained = await trainAutoencoder(flat, training, createRandom(context.seed), {
        ...context,
        onProgress: (share) => context.onProgress?.(0.8 * share),
      });
      putSplineLayer(side, trained.decoder, coefficientBits);
      const { range } = trained.decoder;
      const settings = { blockSize, hiddenDim, intervals, range, coefficientBits };
      const encoded = stored(settings, side);
      const { decoder } = readStored(encoded, matrices);
      const { latent, energyLeft } = await encodeBlocks(flat, trained.encoder, decoder!, context);
      return { encoded: stored({ ...settings, energyLeft }, side), output: latent };
    },
  };
}

function stored(parameters: LevelParameters, side: RansEncoder): EncodedLevel {
  return { kind: AUTOENCODER_KIND, parameters, streams: new Map([["decoder", side.finish()]]) };
}

/**
 * The nested hierarchy of the founding description: each level compresses the latent of the level
 * before, and the last latent is left for a coding level.
 *
 * ```ts
 * import { createAutoencoderLevels } from "./autoencoder_level.ts";
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

/** The latent of every block, and the share of the energy that its reconstruction misses. */
async function encodeBlocks(
  flat: FlatMatrices,
  encoder: SplineLayer,
  decoder: SplineLayer,
  context: EncodeContext,
): Promise<{ latent: Matrices; energyLeft: number }> {
  const { inputDim: blockSize, outputDim: hiddenDim } = encoder;
  const rows = Math.ceil(flat.length / blockSize);
  const data = new Float32Array(rows * hiddenDim);
  let energy = 0, missed = 0;
  const pause = createBreaks(context.signal);
  for (const [start, count] of chunks(rows, encoder)) {
    await pause();
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

function clampInPlace(values: Float32Array, range: number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(Math.max(values[i]!, -range), range);
  }
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new InputError(`${name}: ${value} is not an integer from ${least} to ${most}`);
  }
}
