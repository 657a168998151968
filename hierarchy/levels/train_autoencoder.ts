import { SPLINE_ORDER } from "../format/constants.ts";
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { createBsplines } from "../../kan/bases/bspline.ts";
import { uniformGrid } from "../../kan/bases/grid.ts";
import { KanLayer } from "../../kan/layers/kan_layer.ts";
import { createKanLayerModel, type KanLayerModel } from "../../kan/model/layer_model.ts";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import type { FlatMatrices } from "./flat_matrices.ts";
import type { EncodeContext } from "./level.ts";
import { semiOrthogonalMatrix } from "./semi_orthogonal.ts";
import { applySplineLayer, type SplineLayer } from "./spline_layer.ts";

/** How an autoencoder level is trained. */
export interface TrainingOptions {
  /** Steps of gradient descent; by default 300, fewer where the layers are wide. */
  readonly steps?: number;
  /** Blocks in a step; 256 by default. */
  readonly batchSize?: number;
  /**
   * Adam's rate at the first step, falling linearly to a fiftieth; 0.32 / `blockSize` by default,
   * at most 0.02: the wider a layer, the more weights move its outputs together.
   */
  readonly learningRate?: number;
}

/** What is trained. */
export interface AutoencoderShape {
  /** Values in a block. */
  readonly blockSize: number;
  /** Latents of a block. */
  readonly hiddenDim: number;
  /** Grid intervals of every spline. */
  readonly intervals: number;
}

/** A trained pair, frozen into plain numbers. */
export interface TrainedAutoencoder {
  /** From a block to its latent. */
  readonly encoder: SplineLayer;
  /** From a latent, clamped to its range, to the block. */
  readonly decoder: SplineLayer;
}

/** Multiplications of a training run that keep a level to a few seconds on one core. */
const WORK_BUDGET = 8e9;

/** Blocks that the grids are fitted to. */
const SAMPLE_BLOCKS = 512;

/** Share of the sampled values that the grids span; the rest is clamped. */
const SPANNED_SHARE = 0.999;

/**
 * Trains a Kolmogorov-Arnold autoencoder, latent = encoder(block) and block ≈ decoder(latent), one
 * KAN layer each, by Adam on the mean squared error over random batches of blocks. Runs on WebGPU
 * where that is the backend of tfjs, and on WASM elsewhere, and gives the backend that was active
 * back. The two round differently: the same bytes come of the same backend only.
 */
export async function trainAutoencoder(
  flat: FlatMatrices,
  options: AutoencoderShape & TrainingOptions,
  random: Random,
  context: Omit<EncodeContext, "seed">,
): Promise<TrainedAutoencoder> {
  const { batchSize = 256, learningRate = Math.min(0.02, 0.32 / options.blockSize) } = options;
  const { steps = defaultSteps(options, batchSize) } = options;
  const before = tf.getBackend() as string | undefined;
  const backend = before === "webgpu" ? before : "wasm";
  if (!await tf.setBackend(backend)) throw new Error(`tfjs does not start on ${backend}`);
  const pair = createPair(flat, options, random);
  const optimizer = new DecayingAdam(learningRate, 0.9, 0.99);
  try {
    for (let step = 0; step < steps; step++) {
      if (step % 8 === 0) {
        await yieldToEventLoop();
        context.signal?.throwIfAborted();
        context.onProgress?.(step / steps);
      }
      optimizer.setRate(learningRate * (1 - 0.98 * step / steps));
      descend(pair, optimizer, randomBlocks(flat, options.blockSize, batchSize, random));
    }
    const { encoder, decoder, inputRange, latentRange } = pair;
    return {
      encoder: freeze(await encoder.toModel(), inputRange),
      decoder: freeze(await decoder.toModel(), latentRange),
    };
  } finally {
    optimizer.dispose();
    pair.encoder.dispose();
    pair.decoder.dispose();
    if (before !== undefined && before !== backend) await tf.setBackend(before);
  }
}

/** Lets timers, messages and signals through. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** As many of 300 steps as the budget allows, but at least 40. */
function defaultSteps({ blockSize, hiddenDim, intervals }: AutoencoderShape, batchSize: number) {
  // Two layers, each multiplied once forward and twice backward.
  const work = 6 * batchSize * blockSize * hiddenDim * (intervals + SPLINE_ORDER + 1);
  return Math.round(Math.min(300, Math.max(40, WORK_BUDGET / work)));
}

/** Encoder and decoder in training. */
interface LayerPair {
  readonly encoder: KanLayer;
  readonly decoder: KanLayer;
  readonly inputRange: number;
  readonly latentRange: number;
}

/**
 * Layers that begin as a random orthogonal projection and its transpose, with flat splines. The
 * grids span what a sample of blocks, and of their latents, reaches.
 */
function createPair(flat: FlatMatrices, shape: AutoencoderShape, random: Random): LayerPair {
  const { blockSize, hiddenDim, intervals } = shape;
  const sample = randomBlocks(flat, blockSize, SAMPLE_BLOCKS, random);
  const inputRange = spannedRange(sample);
  const projection = semiOrthogonalMatrix(blockSize, hiddenDim, random);
  const encode = linearModel(blockSize, hiddenDim, projection, inputRange, intervals);
  const latents = applySplineLayer(freeze(encode, inputRange), sample, SAMPLE_BLOCKS);
  const latentRange = 1.25 * spannedRange(latents);
  const back = transpose(projection, blockSize, hiddenDim);
  const decode = linearModel(hiddenDim, blockSize, back, latentRange, intervals);
  return {
    encoder: KanLayer.fromModel(encode, "dense"),
    decoder: KanLayer.fromModel(decode, "dense"),
    inputRange,
    latentRange,
  };
}

/** One step on a batch of blocks. */
function descend(pair: LayerPair, optimizer: tf.Optimizer, blocks: Float32Array): void {
  const { encoder, decoder, inputRange, latentRange } = pair;
  tf.tidy(() => {
    const batch = tf.tensor2d(blocks, [blocks.length / encoder.inputDim, encoder.inputDim]);
    const input = tf.clipByValue(batch, -inputRange, inputRange);
    const loss = () => {
      const latent = tf.clipByValue(encoder.apply(input), -latentRange, latentRange);
      return decoder.apply(latent).sub(batch).square().mean<tf.Scalar>();
    };
    optimizer.minimize(loss, false, [...encoder.variables, ...decoder.variables]);
  });
}

/** A layer y = weightsᵀ x on the grid [-range, range], with splines that are zero everywhere. */
function linearModel(
  inputDim: number,
  outputDim: number,
  weights: Float64Array,
  range: number,
  intervals: number,
): KanLayerModel {
  const grid = uniformGrid({ intervals, order: SPLINE_ORDER, range: [-range, range] });
  const zero = createKanLayerModel({
    inputDim,
    outputDim,
    basis: createBsplines(grid, "clamp"),
    base: "identity",
    splineScale: false,
    initialization: "zero",
    random: createRandom(0),
  });
  return { ...zero, baseWeights: weights };
}

/**
 * Folds the base weights into the splines: on the grid, x itself is the spline whose coefficients
 * are the means of the inner knots.
 */
function freeze(model: KanLayerModel, range: number): SplineLayer {
  const { inputDim, outputDim, baseWeights } = model;
  const size = model.coefficients.length / (inputDim * outputDim);
  const intervals = size - SPLINE_ORDER;
  const coefficients = Float32Array.from(model.coefficients, (coefficient, index) => {
    const output = index % outputDim;
    const row = (index - output) / outputDim;
    const mean = range * (2 * (row % size - 1) / intervals - 1);
    return coefficient + mean * baseWeights[Math.floor(row / size) * outputDim + output]!;
  });
  return { inputDim, outputDim, intervals, range, coefficients };
}

/** Blocks drawn with replacement, row-major. */
function randomBlocks(flat: FlatMatrices, blockSize: number, count: number, random: Random) {
  const values = new Float32Array(count * blockSize);
  const blocks = Math.ceil(flat.length / blockSize);
  for (let i = 0; i < count; i++) {
    const block = values.subarray(i * blockSize, (i + 1) * blockSize);
    flat.read(random.integer(blocks) * blockSize, block);
  }
  return values;
}

/** The magnitude that all but a thousandth of the values stay below, at least 1. */
function spannedRange(values: Float32Array): number {
  const magnitudes = values.map(Math.abs).sort();
  return Math.max(1, magnitudes[Math.floor(SPANNED_SHARE * (magnitudes.length - 1))]!);
}

function transpose(matrix: Float64Array, rows: number, columns: number): Float64Array {
  return Float64Array.from(matrix, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Adam whose rate can be lowered on the way. */
class DecayingAdam extends tf.AdamOptimizer {
  setRate(rate: number): void {
    this.learningRate = rate;
  }
}
