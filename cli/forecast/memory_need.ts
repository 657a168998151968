import { bytesPerElement } from "../../data/dtype.ts";
import { greatest } from "../../data/extremes.ts";
import { elementCount, type TensorInfo } from "../../data/tensor.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { inputGroups } from "../../eval/calibration/input_groups.ts";
import { outputBlocks } from "../../eval/calibration/output_blocks.ts";
import { largestLayerWeights } from "../../eval/scoring/memory_plan.ts";
import { triangleSize } from "../../hierarchy/matrix/triangle.ts";
import { formatBytes } from "../../eval/report/number_text.ts";
import type { StepSettings } from "./step_costs.ts";

/** What a compression that saves memory does. */
export interface MemorySavings {
  /** Passes over the calibration text: each looks at some of the layers. */
  readonly passes: number;
  /** Threads that code; as many as there are if omitted. */
  readonly codingThreads?: number;
}

/** Bytes that each phase of a compression holds at its peak, about. */
export interface MemoryNeed {
  readonly calibrate: number;
  readonly factor: number;
  readonly compress: number;
  readonly evaluate: number;
}

/** What is compressed, as far as memory is concerned. */
export interface MemoryPlan extends StepSettings {
  /** The tensors of the checkpoint. */
  readonly tensors: readonly TensorInfo[];
  /** Whether there is calibration. */
  readonly calibrates: boolean;
  /** Tokens that drift is corrected on; none if omitted. */
  readonly driftTokens?: number | undefined;
  /** Bits a weight of the compressed file; 4 if omitted. */
  readonly bits?: number | undefined;
  /** What is in memory while both models are measured: they, or layers of them. */
  readonly measures: "nothing" | "layers" | "models";
}

/** What the program takes by itself. */
const PROGRAM = 2.5e8;
/** What a thread that codes takes beside its matrix: its program, and what it has not released yet. */
const CODING_THREAD = 8e7;
/** What the native engine leaves behind when it has calibrated. */
const AFTER_NATIVE = 2e8;
/** Values whose codes are in memory at once where streams go to a file. */
const ENCODED_VALUES = 2 ** 26;
/** What the engines of a thread take beside weights. */
const WASM_THREAD = 1.2e8, NATIVE = 2.5e8;
/** What the native engine was measured to hold beside all that, where it gives memory back. */
const SAVING_NATIVE = 1e8;
/** Tokens of which the native engine holds all states at once. */
const NATIVE_TOKENS = 512;
/** Copies of a layer in a native engine that saves memory, for each model or pass backward. */
const SAVING_COPIES = 1;
/** Weights of this size in each worker's heap; larger models go through it layer by layer. */
const RESIDENT = 6e8;
/** Bytes for each value of a calibrated layer's matrix while it is quantized: values, sums and errors. */
const QUANTIZING = 13;
/** Bytes for each pair of inputs of a matrix that is quantized: their factor, as it is sent and used. */
const FACTOR = 10;
/** Bytes for each pair of inputs of a matrix whose drift is summed and fit. */
const DRIFT_SUMS = 64;
/** A matrix this many times as long as wide is no layer's, and quantized a part at a time. */
const LONG = 8;
/** Values of a matrix that are read at once, and decoded at once. */
const READ_VALUES = 2 ** 20, DECODED_VALUES = 2 ** 24;

/**
 * What compressing a model needs; with `savings`, if weights, indices and moments are kept on disk and
 * calibrated layers are looked at in so many passes.
 */
export function memoryNeed(
  model: TransformerDescription,
  { tensors, calibrates, measures, backend, threads, driftTokens = 0, bits = 4 }: MemoryPlan,
  savings?: MemorySavings,
): MemoryNeed {
  const counts = tensors.map(({ shape }) => elementCount(shape));
  const values = counts.reduce((sum, count) => sum + count, 0);
  const held = savings === undefined ? heldBytes(tensors) : 0;
  const sizes = [...inputGroups(model), ...outputBlocks(model)].map(({ size }) => size);
  const moments = calibrates ? sizes.reduce((sum, size) => sum + triangleSize(size), 0) : 0;
  const inMemory = savings === undefined ? 4 * moments : 0;
  const summed = (backend === "native" ? 4 : 8) * moments / (savings?.passes ?? 1);
  const engine = (models: number, backward: boolean) =>
    engineBytes(model, {
      ...{ backend, threads, values, models, backward },
      savesMemory: savings !== undefined,
    });
  const isWhole = measures === "models" && savings === undefined;
  const largest = greatest([0, ...counts]);
  const coders = savings?.codingThreads ?? threads;
  const quantized = tensors.map(({ shape }) => quantizingBytes(shape, calibrates))
    .toSorted((a, b) => b - a).slice(0, coders).reduce((sum, bytes) => sum + bytes, 0);
  // Of two trials, one whole file and the streams of the other; or some streams alone.
  const streams = bits / 8 *
    (savings === undefined ? 3 * values : Math.min(values, ENCODED_VALUES));
  // Those of the largest matrix are read for the work folder, and copied.
  const indices = savings === undefined ? values : 2 * largest;
  const reported = 12 * Math.min(largest, DECODED_VALUES);
  const measured = isWhole
    ? 4 * values + engine(2, false)
    : measures === "nothing"
    ? 8 * Math.min(largest, DECODED_VALUES)
    : layeredBytes(model);
  const beside = savings !== undefined && calibrates && backend === "native" ? SAVING_NATIVE : 0;
  const base = PROGRAM + held + beside;
  const calibrated = base + (calibrates && backend === "native" ? AFTER_NATIVE : 0);
  const coding = coders * CODING_THREAD + streams + quantized;
  return {
    calibrate: calibrates ? base + summed + engine(1, true) : 0,
    factor: calibrates ? calibrated + inMemory + 24 * greatest(sizes) ** 2 : 0,
    compress: calibrated + inMemory + indices + Math.max(coding, streams + reported) +
      (driftTokens > 0 ? driftBytes(model, driftTokens) + engine(2, false) : 0),
    evaluate: base + measured,
  };
}

/**
 * Quantized weights that are still read, states of both models before and after a layer and how far
 * they are apart, what goes into its matrices, and sums of that and their fits.
 */
function driftBytes(model: TransformerDescription, tokens: number): number {
  const { vocabularySize, hiddenSize } = model;
  const sizes = inputGroups(model).slice(0, 4).map(({ size }) => size);
  // All of the original's, and those of ours that go into the second and the fourth.
  const [, output = 0, , down = 0] = sizes;
  const inputs = sizes.reduce((sum, size) => sum + size, output + down);
  const weights = vocabularySize * hiddenSize + 2 * largestLayerWeights(model);
  return 4 * weights + 4 * tokens * (inputs + 5 * hiddenSize) +
    DRIFT_SUMS * greatest(sizes) ** 2;
}

/** Bytes that a matrix takes while it is quantized. */
function quantizingBytes(shape: readonly number[], calibrates: boolean): number {
  if (shape.length < 2) return 0;
  const inputs = elementCount(shape.slice(1)), count = elementCount(shape);
  const short = Math.min(inputs, count / inputs), long = count / short;
  const window = 4 * short * Math.min(long, short + 128 + READ_VALUES / short);
  if (!calibrates) return window;
  if (long < LONG * short) return window + QUANTIZING * count + FACTOR * inputs ** 2;
  return window + 8 * short * Math.min(long, 2 * short + 512) + FACTOR * short ** 2;
}

/** A checkpoint's weights in memory: 16 bits each where they are stored in those, else 32. */
function heldBytes(tensors: readonly TensorInfo[]): number {
  return tensors.reduce((sum, { shape, dtype }) => {
    return sum + elementCount(shape) * (bytesPerElement(dtype) === 2 ? 2 : 4);
  }, 0);
}

/** How an engine runs whole models. */
interface EngineLoad extends StepSettings {
  /** Weights of a model. */
  readonly values: number;
  /** Models that run side by side. */
  readonly models: number;
  readonly backward: boolean;
  /** Whether graphs give back what they took when they have run. */
  readonly savesMemory: boolean;
}

/** What an engine takes beside the weights that are held for it. */
function engineBytes(
  model: TransformerDescription,
  { backend, threads, values, models, backward, savesMemory }: EngineLoad,
): number {
  const largestLayer = 4 * largestLayerWeights(model);
  const copies = models + (backward ? 1 : 0);
  if (backend === "native") {
    const states = backward ? 4 * (model.layers.length + 1) * NATIVE_TOKENS * model.hiddenSize : 0;
    return NATIVE + states + (savesMemory ? SAVING_COPIES : 4) * copies * largestLayer;
  }
  const resident = 8 * copies * values;
  return threads * (WASM_THREAD + (resident <= RESIDENT ? resident : 4 * copies * largestLayer));
}

/** What measuring layer by layer takes, in one thread where there is no native engine. */
function layeredBytes(model: TransformerDescription): number {
  return NATIVE + 6 * 4 * largestLayerWeights(model);
}

/** What is measured, as far as memory is concerned. */
export interface MeasuringPlan extends StepSettings {
  /** The tensors of each checkpoint that is read. */
  readonly checkpoints: readonly (readonly TensorInfo[])[];
  /** Weights that are decoded from a compressed file; 0 without one. */
  readonly decoded: number;
  /** Whether the weights of one layer are in memory at a time. */
  readonly byLayer: boolean;
  /** Tokens of the longest text. */
  readonly tokens: number;
}

/** Bytes that measuring models on a text holds at its peak, about. */
export function measuringBytes(
  model: TransformerDescription,
  { checkpoints, decoded, byLayer, tokens, ...settings }: MeasuringPlan,
): number {
  const models = checkpoints.length + (decoded > 0 ? 1 : 0);
  // The states of the whole text, before a layer and after it.
  if (byLayer) return PROGRAM + layeredBytes(model) + 8 * models * tokens * model.hiddenSize;
  const held = checkpoints.reduce((sum, tensors) => sum + heldBytes(tensors), 4 * decoded);
  const largest = greatest([decoded, ...checkpoints.map(countValues)]);
  const load = { ...settings, values: largest, models, backward: false, savesMemory: false };
  return PROGRAM + held + engineBytes(model, load);
}

function countValues(tensors: readonly TensorInfo[]): number {
  return tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** The most that is needed at once. */
export function peakOf({ calibrate, factor, compress, evaluate }: MemoryNeed): number {
  return Math.max(calibrate, factor, compress, evaluate);
}

/** How a compression goes on with the memory that there is. */
export interface MemoryChoice {
  /** Bytes that it needs at most, about. */
  readonly bytes: number;
  /** How memory is saved, if it has to be. */
  readonly savings?: MemorySavings;
  /** A line for people, where memory is short. */
  readonly line?: string;
}

/**
 * Chooses how to compress in the memory that there is: as little is saved as will do, since it
 * takes time. `available` is undefined where nobody knows.
 */
export function chooseMemory(
  model: TransformerDescription,
  plan: MemoryPlan,
  available: number | undefined,
): MemoryChoice {
  const need = memoryNeed(model, plan);
  const peak = peakOf(need);
  if (available === undefined || peak <= available) return { bytes: peak };
  const whole = `${formatBytes(available)} of memory is there, of about ${formatBytes(peak)}`;
  let savings: MemorySavings = { passes: 1 };
  // Threads that wait are better than a run that does not end.
  let coders = plan.threads;
  while (coders > 1 && memoryNeed(model, plan, savings).compress > available) {
    savings = { ...savings, codingThreads: --coders };
  }
  // More passes than that help nothing: something else needs the memory.
  const { calibrate: _, ...others } = memoryNeed(model, plan, savings);
  const enough = Math.max(available, peakOf({ ...others, calibrate: 0 }));
  while (
    savings.passes < model.layers.length &&
    memoryNeed(model, plan, savings).calibrate > enough
  ) {
    savings = { ...savings, passes: savings.passes + 1 };
  }
  const saved = peakOf(memoryNeed(model, plan, savings));
  const how = !plan.calibrates
    ? "weights and indices are kept on disk"
    : savings.passes > 1
    ? `weights and moments are kept on disk, these found in ${savings.passes} passes over the text`
    : "weights and moments are kept on disk";
  const coded = coders < plan.threads
    ? `, and ${coders} of ${plan.threads} threads ${coders === 1 ? "codes" : "code"}`
    : "";
  const rest = saved <= available ? "" : `; that takes ${formatBytes(saved)} and may not end`;
  return { bytes: saved, savings, line: `${whole}: ${how}${coded}${rest}` };
}
