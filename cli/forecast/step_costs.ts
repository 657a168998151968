import type { BackendName } from "../../eval/mod.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { FEWEST_SAMPLED } from "../../hierarchy/rate/draft_sample.ts";
import { FIRST_STATES } from "../../hierarchy/levels/trellis_level.ts";
import { inputGroups } from "../../eval/calibration/input_groups.ts";
import { outputBlocks } from "../../eval/calibration/output_blocks.ts";
import { modelLinears } from "../../eval/weights/expected_tensors.ts";

/** What the long steps work on, counted. */
export interface ModelWork {
  /** Weights that each token is multiplied by, the head's included. */
  readonly products: number;
  /** Sum of the cubes of the sizes of the second moments that are factored. */
  readonly cubes: number;
  /** Weights that are coded, the embedding included. */
  readonly weights: number;
}

/** Counts what a model gives to do. */
export function modelWork(model: TransformerDescription): ModelWork {
  const linears = modelLinears(model);
  const head = model.head;
  const moments = [...inputGroups(model), ...outputBlocks(model)];
  const products = linears.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  const embedding = model.tokenEmbedding === head.weight
    ? 0
    : model.vocabularySize * model.hiddenSize;
  return {
    products,
    cubes: moments.reduce((sum, { size }) => sum + size ** 3, 0),
    weights: products + embedding,
  };
}

/** How a step is run. */
export interface StepSettings {
  /** What runs the models. */
  readonly backend: BackendName;
  /** Workers. */
  readonly threads: number;
}

/**
 * Nanoseconds of one core for each token and weight, measured with the embedded model,
 * SmolLM2-135M and a model of GPT-2's sizes on a server with AVX-512. What other machines take is
 * learnt from their own runs.
 */
const FORWARD: Readonly<Record<BackendName, number>> = {
  native: 0.022,
  wasm: 0.08,
  webgpu: 0.005,
  cpu: 6,
};
/** As {@linkcode FORWARD}, for calibrating: forward and back, and the second moments. */
export const CALIBRATION: Readonly<Record<BackendName, number>> = {
  native: 0.13,
  wasm: 0.6,
  webgpu: 0.02,
  cpu: 40,
};
/** As {@linkcode FORWARD}, for steps of tuning: both models forward, and one back. */
const TUNING: Readonly<Record<BackendName, number>> = {
  native: 0.15,
  wasm: 0.6,
  webgpu: 0.02,
  cpu: 40,
};
/** As {@linkcode FORWARD}, for drift: both models, products of their inputs, and fits to them. */
const DRIFT: Readonly<Record<BackendName, number>> = {
  native: 0.08,
  wasm: 0.24,
  webgpu: 0.24,
  cpu: 0.24,
};
/** Tokens of a step, with its share of those that judge. */
const TUNED_TOKENS = 2500;
/** As {@linkcode FORWARD}, where one token is drawn after another. */
const SAMPLING = 0.35;
/** Nanoseconds for each unit of {@linkcode ModelWork.cubes}, on one core. */
export const FACTORING = 0.08;
/** Nanoseconds of one core for each weight and trial: by itself, and for each trellis state. */
const CODING = 500, CODING_STATE = 4.3;
/** Trials of the search for a rate, and for a divergence. */
const TRIALS = { rate: 3, divergence: 7 };
/** As {@linkcode TRIALS}, where drafts of few states come first and fits are taken over. */
const DRAFTED_TRIALS = { rate: 0.9, divergence: 4 };
/** As {@linkcode TRIALS}, where drafts of a sample, of as many states, come first. */
const SAMPLED_TRIALS = { ...TRIALS, rate: 1.6 };
/** Nanoseconds for each weight, on one core. */
const DECODING = 60;
/** Seconds until workers run models. */
const START = 1.5;

/** Seconds to run models on `tokens` tokens, together. */
export function forwardSeconds(
  { products }: ModelWork,
  tokens: number,
  models: number,
  { backend, threads }: StepSettings,
): number {
  return START + 1e-9 * FORWARD[backend] * products * tokens * models / threads;
}

/** Seconds to calibrate on `tokens` tokens. */
export function calibrationSeconds(
  { products }: ModelWork,
  tokens: number,
  { backend, threads }: StepSettings,
): number {
  return START + 1e-9 * CALIBRATION[backend] * products * tokens / threads;
}

/** Seconds to tune for a number of steps. */
export function tuningSeconds(
  { products }: ModelWork,
  steps: number,
  { backend, threads }: StepSettings,
): number {
  return START + 1e-9 * TUNING[backend] * products * steps * TUNED_TOKENS / threads;
}

/** Seconds that correcting drift on `tokens` tokens takes in a search. */
export function driftSeconds(
  { products }: ModelWork,
  tokens: number,
  target: keyof typeof TRIALS,
  { backend, threads }: StepSettings,
): number {
  const trials = target === "rate" ? 1 : DRAFTED_TRIALS[target];
  return trials * (START + 1e-9 * DRIFT[backend] * products * tokens / threads);
}

/** Seconds until a model has written `tokens` tokens. */
export function samplingSeconds(
  { products }: ModelWork,
  tokens: number,
  { threads }: StepSettings,
): number {
  return START + 1e-9 * SAMPLING * products * tokens / threads;
}

/** Seconds to factor what calibration found. */
export function factoringSeconds({ cubes }: ModelWork): number {
  return 1e-9 * FACTORING * cubes;
}

/** Seconds to find the rate, trial by trial; `measuring` is what each trial takes beside coding. */
export function codingSeconds(
  { weights }: ModelWork,
  states: number,
  target: keyof typeof TRIALS,
  { threads }: StepSettings,
  measuring = 0,
): number {
  const trial = 1e-9 * (CODING + CODING_STATE * states) * weights / threads;
  const simple = weights < FEWEST_SAMPLED ? TRIALS : SAMPLED_TRIALS;
  const trials = (states > FIRST_STATES ? DRAFTED_TRIALS : simple)[target];
  return trials * trial + TRIALS[target] * measuring;
}

/** Seconds to decode a compressed model. */
export function decodingSeconds({ weights }: ModelWork): number {
  return 1e-9 * DECODING * weights;
}
