import { greatest } from "../../data/extremes.ts";
import { InputError } from "../../data/input_error.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { BackendName, TfjsBackend } from "../compute/backend.ts";
import { checkTensors, modelLinears } from "../weights/expected_tensors.ts";
import { planMemory } from "../scoring/memory_plan.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { requireNative } from "../native/supported.ts";
import type { Device } from "../webgpu/device.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { cutIntoChunks } from "../protocols/text_chunks.ts";
import {
  requireSharedMemory,
  sharedFloat32Array,
  sharedFloat64Array,
  sharedInt32Array,
} from "../../workers/shared_array.ts";
import { Worker } from "../../workers/web_worker.ts";
import { runInWorkers } from "../../workers/worker_pool.ts";
import { type CalibrationJob, finalNormOf, type SharedMoments } from "./calibrate_chunks.ts";
import type { CalibrateSetup } from "./calibrate_worker.ts";
import type { OutputMoment } from "../../hierarchy/metric/tensor_metric.ts";
import {
  calibrateOnDevice,
  type DeviceCalibrationOptions,
  labelDraws,
} from "./device_calibration.ts";
import { inputGroups } from "./input_groups.ts";
import { calibrateNatively } from "./native_calibration.ts";
import { outputBlocks } from "./output_blocks.ts";
import { expandTriangle, triangleSize } from "../../hierarchy/matrix/triangle.ts";

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

/** What calibration found out about one linear layer y = W x. */
export interface LinearCalibration {
  /** Axis of the stored weight that runs over inputs: 1 for `[out, in]`, 0 for `[in, out]`. */
  readonly inputAxis: 0 | 1;
  /**
   * Second moment of the inputs, n × n, row-major: E[e x xᵀ] / E[e], where e is the squared gradient
   * by the outputs of the layers that share them; E[x xᵀ] where no backward pass was run. Expanded
   * anew from its triangle at each access: keep it in a variable where it is used more than once.
   */
  readonly hessian: Float64Array;
  /** Weight names of the layers that share these inputs, and so the Hessian. */
  readonly sharedWith: readonly string[];
  /** Number of tokens that all this is a mean over, where that is known. */
  readonly tokens?: number;
  /**
   * E[(∂loss/∂y_i)²] of each output with labels drawn from the model; for the head, E[p (1 - p)] of
   * each logit. Absent where no backward pass was run.
   */
  readonly fisher?: Float64Array;
  /** How those gradients go together; absent for the head. */
  readonly outputMoments?: readonly OutputMoment[];
}

/** Statistics of a model's activations over a text. */
export interface Calibration {
  /** Number of tokens that went through the model. */
  readonly tokens: number;
  /** Tokens of a chunk: the positions that were seen. */
  readonly contextLength: number;
  /** The linear layers by the name of their weight; the head's may be the token embedding's. */
  readonly linears: ReadonlyMap<string, LinearCalibration>;
  /** How often each token of the vocabulary was an input, as a share of all tokens. */
  readonly tokenFrequencies: Float64Array;
  /**
   * E[∇ ∇ᵀ] of the loss' gradient by the features of the embedded tokens, where a backward pass was
   * run: row-major, as many rows as features.
   */
  readonly embeddingMoment?: Float64Array;
}

/** Tokens that one job runs through the model at once, unless one chunk is longer. */
const tokensPerJob = 1024;
/** Where a worker's heap would be larger, one chunk at a time goes through the model. */
const comfortableHeap = 4e8;

/**
 * Runs a text through a model in Web Workers and collects what the rate code weighs errors with: the
 * second moment of every linear layer's inputs (summed over short runs in float32, over runs in
 * float64) and the Fisher information of its outputs. The text is cut into chunks as
 * {@linkcode evaluateLanguageModel} does; all positions count. Throws {@linkcode InputError} if the
 * text is too short, a token is outside the vocabulary, the context is too long, or the weights do
 * not fit the config.
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
  const { config, weights, fisher = true, backend } = options;
  const model = describeModel(config, weights.keys());
  if (backend === "native") requireNative(model);
  finalNormOf(model);
  const contextLength = options.contextLength ?? Math.min(512, model.contextLength);
  const chunks = cutIntoChunks(options.tokens, model, contextLength, options.bosTokenId);
  checkTensors(config, model, Array.from(weights, ([name, { shape }]) => ({ name, shape })));
  // Sums of some twenty jobs do not need more than float32, and are most of what calibration holds.
  const moments = allocateMoments(model, fisher, backend === "native" ? "float32" : "float64");
  const run = { model, chunks, contextLength, moments };
  const device = backend === "webgpu" ? await openDevice() : undefined;
  try {
    const runs = device !== undefined && canCalibrate(model, device, contextLength, moments);
    const sums = runs
      ? await runOnDevice(device, run, options)
      : backend === "native"
      ? await runNatively(run, options)
      : await runOnWorkers(run, options, backend ?? "wasm");
    return summarize(model, { chunks, contextLength }, moments, sums);
  } finally {
    device?.close();
  }
}

/** A text in chunks, and the moments that it is added to. */
interface CalibrationRun {
  readonly model: TransformerDescription;
  readonly chunks: Int32Array;
  readonly contextLength: number;
  readonly moments: SharedMoments;
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
  const sum = await calibrateNatively({ ...wholeRun(run, options), threads });
  return sum === undefined ? [] : [sum];
}

/** What engines are given that do all jobs themselves. */
function wholeRun(
  { model, chunks, contextLength, moments }: CalibrationRun,
  { weights, fisher = true, seed = 0, onProgress, signal }: CalibrateOptions,
): DeviceCalibrationOptions {
  return {
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

async function runOnWorkers(
  { model, chunks, contextLength, moments }: CalibrationRun,
  { weights, fisher = true, seed = 0, threads, onProgress, signal }: CalibrateOptions,
  backend: TfjsBackend,
): Promise<Float64Array[]> {
  requireSharedMemory("calibration");
  const { batch, resident } = planBatch(model, contextLength, fisher);
  const jobs = planJobs(chunks, contextLength, batch, fisher ? seed : undefined);
  let done = 0;
  const sums = await runInWorkers<CalibrateSetup, CalibrationJob, Float64Array | undefined>({
    start: () => new Worker(new URL("./calibrate_worker.ts", import.meta.url), { type: "module" }),
    threads: threads ?? navigator.hardwareConcurrency,
    setup: {
      description: model,
      weights: prepareWeights(model, weights, true),
      resident,
      backend,
      moments,
    },
    jobs,
    onResult: () => onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
  return sums.filter((sum) => sum !== undefined);
}

/** How many chunks go through the model at once, and whether its weights stay in the heap. */
function planBatch(
  model: TransformerDescription,
  contextLength: number,
  backward: boolean,
): { batch: number; resident: boolean } {
  const planFor = (batch: number) => ({
    batch,
    ...planMemory(model, {
      copies: backward ? 2 : 1,
      batchTokens: batch * contextLength,
      contextLength,
      backward,
    }),
  });
  const single = planFor(1);
  const several = Math.floor(tokensPerJob / contextLength);
  if (several <= 1 || single.heapBytes > comfortableHeap) return single;
  const plan = planFor(several);
  return plan.heapBytes <= comfortableHeap ? plan : single;
}

/** Cuts the text into jobs. */
function planJobs(
  chunks: Int32Array,
  contextLength: number,
  batch: number,
  labelSeed: number | undefined,
): CalibrationJob[] {
  const jobs: CalibrationJob[] = [];
  for (let at = 0; at < chunks.length; at += batch * contextLength) {
    const ids = chunks.slice(at, at + batch * contextLength);
    const sequences = { job: jobs.length, ids, batch: ids.length / contextLength };
    jobs.push({ ...sequences, ...(labelSeed !== undefined && { labelSeed }) });
  }
  return jobs;
}

/** Sums for a model, all 0, in shared memory. */
export function allocateMoments(
  model: TransformerDescription,
  backward: boolean,
  type: "float32" | "float64" = "float64",
): SharedMoments {
  const triangle = ({ size }: { readonly size: number }) =>
    type === "float32"
      ? sharedFloat32Array(triangleSize(size))
      : sharedFloat64Array(triangleSize(size));
  const groups = inputGroups(model);
  const blocks = backward ? outputBlocks(model) : [];
  return {
    groups,
    triangles: groups.map(triangle),
    energies: sharedFloat64Array(groups.length),
    turns: sharedInt32Array(groups.length),
    blocks,
    blockTriangles: blocks.map(triangle),
    blockTurns: sharedInt32Array(blocks.length),
  };
}

/** Less energy than any gradient that is not 0 has. */
const LEAST_ENERGY = 1e-300;

function summarize(
  model: TransformerDescription,
  { chunks, contextLength }: { readonly chunks: Int32Array; readonly contextLength: number },
  moments: SharedMoments,
  logitSums: readonly Float64Array[],
): Calibration {
  const { groups, triangles, energies } = moments;
  const tokens = chunks.length;
  const mean = (parts: readonly Float64Array[]) => {
    const total = new Float64Array(parts[0]!.length);
    for (const part of parts) part.forEach((value, i) => total[i]! += value);
    return total.map((value) => value / tokens);
  };
  const linears = new Map<string, LinearCalibration>();
  for (const { weight, layout } of modelLinears(model)) {
    const index = groups.findIndex(({ linears }) => linears.some((l) => l.weight === weight));
    const { size, linears: sharing } = groups[index]!;
    linears.set(weight, {
      inputAxis: layout === "inputsByOutputs" ? 0 : 1,
      get hessian() {
        return expandTriangle(
          triangles[index]!,
          size,
          1 / Math.max(energies[index]!, LEAST_ENERGY),
        );
      },
      sharedWith: sharing.map((linear) => linear.weight).filter((name) => name !== weight),
      tokens,
      ...(logitSums.length > 0 &&
        (weight === model.head.weight
          ? { fisher: mean(logitSums) }
          : outputStatistics(moments, weight, tokens))),
    });
  }
  const tokenFrequencies = new Float64Array(model.vocabularySize);
  for (const id of chunks) tokenFrequencies[id]! += 1 / tokens;
  return {
    tokens,
    contextLength,
    linears,
    tokenFrequencies,
    ...(logitSums.length > 0 && {
      embeddingMoment: outputStatistics(moments, model.tokenEmbedding, tokens)
        .outputMoments[0]!.moment,
    }),
  };
}

function outputStatistics(
  { blocks, blockTriangles }: SharedMoments,
  weight: string,
  tokens: number,
): Required<Pick<LinearCalibration, "fisher" | "outputMoments">> {
  const own = blocks.flatMap((block, index) =>
    block.weight === weight ? [{ ...block, triangle: blockTriangles[index]! }] : []
  );
  const outputMoments = own.map(({ start, size, triangle }) => ({
    start,
    get moment() {
      return expandTriangle(triangle, size, 1 / tokens);
    },
  }));
  const fisher = own.flatMap(({ size, triangle }) =>
    Array.from({ length: size }, (_, i) => triangle[triangleSize(i + 1) - 1]! / tokens)
  );
  return { fisher: Float64Array.from(fisher), outputMoments };
}
