import { collectGarbage } from "../../data/collect_garbage.ts";
import { greatest } from "../../data/extremes.ts";
import { InputError } from "../../data/input_error.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { BackendName } from "../compute/backend.ts";
import { checkTensors } from "../weights/expected_tensors.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { requireNative } from "../native/supported.ts";
import type { Device } from "../webgpu/device.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { cutIntoChunks } from "../protocols/text_chunks.ts";
import { finalNormOf, type SharedMoments } from "./calibrate_chunks.ts";
import type { Calibration } from "./calibration.ts";
import {
  allocateMoments,
  type CalibrationSums,
  type LayerRange,
  packSums,
  summarize,
} from "./calibration_sums.ts";
import { joinCalibrations, keepMoments } from "./kept_calibration.ts";
import { type CalibrationWork, SumsKeeper } from "./kept_sums.ts";
import type { KeepValues } from "../../hierarchy/metric/factor_metrics.ts";
import {
  calibrateOnDevice,
  type DeviceCalibrationOptions,
  labelDraws,
} from "./device_calibration.ts";
import { calibrateNatively } from "./native_calibration.ts";
import type { PackedCalibration } from "./packed_calibration.ts";
import { TextWatch } from "./text_watch.ts";
import { calibrateOnWorkers, planBatch } from "./worker_calibration.ts";

/** What {@linkcode calibrate} is given. */
export interface CalibrateOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The model's weights. */
  readonly weights: StateDict;
  /** The whole text, tokenized once, without special tokens. */
  readonly tokens: Int32Array;
  /** Tokens a chunk, at least 4; the model's context if omitted, but at most 512. */
  readonly contextLength?: number;
  /** Begins the text and each chunk, for models whose tokenizer adds such a token. */
  readonly bosTokenId?: number;
  /**
   * Whether to run backward passes, which take about three times as long as the rest; true where
   * absent. Without them nothing is known of gradients, and all tokens weigh the same.
   */
  readonly fisher?: boolean;
  /**
   * Stops where more text of the same kind, however much, would lower the divergence of what is
   * compressed by about this share, 0.001 to 0.2; the whole text is read if omitted.
   */
  readonly loss?: number;
  /** Seed of the labels that the backward passes draw; 0 if omitted. */
  readonly seed?: number;
  /** Number of workers; all cores if omitted. The result does not depend on it. */
  readonly threads?: number;
  /** What computes it; `"wasm"` if omitted. */
  readonly backend?: BackendName;
  /** Called with the share of the chunks that are done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a text through a model in Web Workers and collects what the rate code weighs errors with: the
 * second moment of every linear layer's inputs (summed over short runs in float32, over runs in
 * float64) and the Fisher information of its outputs. The text is cut into chunks as
 * {@linkcode evaluateLanguageModel} does; all positions count. Throws {@linkcode InputError} if the
 * text is too short, a token is outside the vocabulary, the context is too long, `loss` is out of its
 * range, or the weights do not fit the config.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { calibrate, readStateDict } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const source = await openModel(embeddedModelPath());
 * const tokenizer = await source.tokenizer();
 * const text = "It was a dark and stormy night, and the carriage had not yet come. ";
 * const { linears } = await calibrate({
 *   config: source.config,
 *   weights: await readStateDict(source),
 *   tokens: tokenizer.encode(text.repeat(8)),
 *   contextLength: 64,
 * });
 * const { hessian, fisher } = linears.get("transformer.h.0.attn.c_attn.weight")!;
 * assert.equal(hessian.length, 256 * 256);
 * assert.equal(fisher!.length, 768);
 * ```
 */
export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  return summarize(await runCalibration(options));
}

/** How {@linkcode calibratePacked} is to save memory. */
export interface MemorySaving {
  /** The text runs through the model so often: each time some of the layers are looked at. */
  readonly passes: number;
  /** Keeps moments elsewhere than in memory. */
  readonly keep: KeepValues;
}

/**
 * As {@linkcode calibrate}, in the form in which a calibration is kept, and in less memory: where
 * `saving` says so, in several passes with the same result. What an earlier run kept in `work` is not
 * computed again.
 */
export async function calibratePacked(
  options: CalibrateOptions,
  saving?: MemorySaving,
  work?: CalibrationWork,
): Promise<PackedCalibration> {
  if (saving === undefined) return packSums(await runCalibration(options, undefined, work));
  const { passes, keep } = saving;
  const { layers } = describeModel(options.config, options.weights.keys());
  const parts: PackedCalibration[] = [];
  // By itself, so that nothing here refers to the moments.
  const runPass = async (text: CalibrateOptions, range: LayerRange, work?: CalibrationWork) => {
    const sums = await runCalibration(text, range, work);
    return { part: keepMoments(packSums(sums), keep), read: sums.chunks.length };
  };
  let text = options;
  for (let pass = 0; pass < passes; pass++) {
    const range = [pass, pass + 1].map((number) => Math.floor(number * layers.length / passes));
    const onProgress = (share: number) => options.onProgress?.((pass + share) / passes);
    const own = work && {
      ...work,
      onFound: (share: number) => work.onFound?.((pass + share) / passes),
    };
    const { part, read } = await runPass({ ...text, onProgress }, range as [number, number], own);
    parts.push(part);
    // The first pass finds how much of the text is enough, and the others read that.
    const { loss: _, ...others } = text;
    text = { ...others, tokens: options.tokens.subarray(0, read) };
    // The moments of a pass are the most of what calibration holds.
    collectGarbage();
  }
  const { loss } = parts[0]!;
  return { ...joinCalibrations(parts), ...(loss !== undefined && { loss }) };
}

async function runCalibration(
  options: CalibrateOptions,
  layers?: LayerRange,
  work?: CalibrationWork,
): Promise<CalibrationSums> {
  const { config, weights, fisher = true, backend } = options;
  const model = describeModel(config, weights.keys());
  if (backend === "native") requireNative(model);
  finalNormOf(model);
  const contextLength = options.contextLength ?? Math.min(512, model.contextLength);
  const chunks = cutIntoChunks(options.tokens, model, contextLength, options.bosTokenId);
  checkTensors(config, model, Array.from(weights, ([name, { shape }]) => ({ name, shape })));
  // Sums of some twenty jobs do not need more than float32, and are most of what calibration holds.
  const type = backend === "native" ? "float32" : "float64";
  const moments = allocateMoments(model, fisher, type, layers);
  const { loss } = options;
  const watch = loss === undefined ? undefined : new TextWatch(model, moments, contextLength, loss);
  const settings = [layers, fisher, type, backend, ...(loss === undefined ? [] : [loss])];
  const keeper = work && await SumsKeeper.open(work, settings, moments);
  const run = {
    ...{ model, chunks, contextLength, moments, savesMemory: layers !== undefined },
    ...(keeper && { keeper }),
    ...(watch && { watch }),
  };
  const shown = watch === undefined ? options : watchedProgress(options, watch, chunks.length);
  const device = backend === "webgpu" ? await openDevice() : undefined;
  try {
    const runs = device !== undefined && canCalibrate(model, device, contextLength, moments);
    const logitSums = runs
      ? await runOnDevice(device, run, shown)
      : backend === "native"
      ? await runNatively(run, shown)
      : await runOnWorkers(run, shown);
    return {
      ...{ model, contextLength, moments, logitSums },
      chunks: chunks.subarray(0, watch?.enough),
      ...(watch?.loss !== undefined && { loss: watch.loss }),
    };
  } finally {
    device?.close();
  }
}

/** Has progress be told as a share of the tokens that will probably be read; it does not go back. */
function watchedProgress(
  options: CalibrateOptions,
  watch: TextWatch,
  tokens: number,
): CalibrateOptions {
  let furthest = 0;
  return {
    ...options,
    onProgress(share) {
      const read = watch.isEnough ? 1 : share * tokens / watch.expected(tokens);
      furthest = Math.max(furthest, Math.min(1, read));
      options.onProgress?.(furthest);
    },
  };
}

/** A text in chunks, and the moments that it is added to. */
interface CalibrationRun {
  readonly model: TransformerDescription;
  readonly chunks: Int32Array;
  readonly contextLength: number;
  readonly moments: SharedMoments;
  /** Whether memory is short. */
  readonly savesMemory: boolean;
  /** What keeps the sums every so often; the device's are not kept. */
  readonly keeper?: SumsKeeper;
  /** What ends the run before the text's end. */
  readonly watch?: TextWatch;
}

/** Whether our programs can run the model, and its moments fit into buffers. */
function canCalibrate(
  model: TransformerDescription,
  device: Device,
  contextLength: number,
  { groups, blocks }: SharedMoments,
): boolean {
  const widest = greatest([...groups, ...blocks].map(({ size }) => size));
  return whyUnsupported(model, device, contextLength) === undefined &&
    4 * widest ** 2 <= device.largestBinding;
}

async function runOnDevice(
  device: Device,
  run: CalibrationRun,
  options: CalibrateOptions,
): Promise<Float64Array[]> {
  const sum = await calibrateOnDevice(device, wholeRun(run, options));
  return sum === undefined ? [] : [sum];
}

async function runNatively(
  run: CalibrationRun,
  options: CalibrateOptions,
): Promise<Float64Array[]> {
  const threads = options.threads ?? navigator.hardwareConcurrency;
  const { keeper, savesMemory } = run;
  const sum = await calibrateNatively({
    ...wholeRun(run, options),
    ...{ threads, savesMemory },
    ...(keeper && { keeper }),
  });
  return sum === undefined ? [] : [sum];
}

async function runOnWorkers(
  run: CalibrationRun,
  options: CalibrateOptions,
): Promise<Float64Array[]> {
  const { weights, fisher = true, seed = 0, threads, backend, onProgress, signal } = options;
  return await calibrateOnWorkers({
    ...run,
    weights,
    ...(fisher && { labelSeed: seed }),
    threads: threads ?? navigator.hardwareConcurrency,
    backend: backend === undefined || backend === "native" ? "wasm" : backend,
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  });
}

/** What engines are given that do all jobs themselves. */
function wholeRun(
  { model, chunks, contextLength, moments, watch }: CalibrationRun,
  { weights, fisher = true, seed = 0, onProgress, signal }: CalibrateOptions,
): DeviceCalibrationOptions {
  return {
    ...(watch && { watch }),
    model,
    weights: prepareWeights(model, weights, false),
    chunks,
    contextLength,
    moments,
    ...(fisher && { draws: labelDraws(chunks.length, drawnTogether(model, contextLength), seed) }),
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  };
}

/** Tokens of a job of the workers, which draw labels job by job, so that a device draws the same. */
function drawnTogether(model: TransformerDescription, contextLength: number): number {
  try {
    return contextLength * planBatch(model, contextLength, true).batch;
  } catch (error) {
    // Too large a model for the workers.
    if (error instanceof InputError) return contextLength;
    throw error;
  }
}
