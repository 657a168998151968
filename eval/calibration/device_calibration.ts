import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { backwardSteps } from "../webgpu/backward_steps.ts";
import type { Device } from "../webgpu/device.ts";
import { embedTokens } from "../model/embed_tokens.ts";
import { finishLogitsSteps } from "../webgpu/elementwise.ts";
import { type GradientWorkspace, makeGradientWorkspace } from "../webgpu/gradient_workspace.ts";
import type { LayerRun, RotationTables } from "../webgpu/layer_run.ts";
import { groupLinears, layerSteps } from "../webgpu/layer_steps.ts";
import { turned } from "../webgpu/linear_steps.ts";
import { type ModelBuffers, sendWeights } from "../webgpu/model_weights.ts";
import { normGradientStep } from "../webgpu/norm_gradient.ts";
import { normStep } from "../webgpu/normalization.ts";
import { productStep } from "../webgpu/product.ts";
import { runSteps, type Step } from "../webgpu/program.ts";
import { rotationTables } from "../webgpu/rotation.ts";
import { sampledLossSteps } from "../webgpu/sampled_loss.ts";
import { makeWorkspace, tokensPerBackwardJob, type Workspace } from "../webgpu/workspace.ts";
import type { SharedMoments } from "./calibrate_chunks.ts";
import type { MomentTriangle } from "./second_moment.ts";
import { DeviceMoments } from "./device_moments.ts";
import type { TextWatch } from "./text_watch.ts";

/** What {@linkcode calibrateOnDevice} is given. */
export interface DeviceCalibrationOptions {
  /** The model. */
  readonly model: TransformerDescription;
  /** Its weights. */
  readonly weights: PreparedWeights;
  /** Token ids, whole chunks one after another. */
  readonly chunks: Int32Array;
  /** Tokens of a chunk. */
  readonly contextLength: number;
  /** A number for each token, by which its label is drawn; absent: no backward pass. */
  readonly draws?: Uint32Array;
  /** What is added to. */
  readonly moments: SharedMoments;
  /** What ends the run before the text's end, if anything does. */
  readonly watch?: TextWatch;
  /** Called with the share of the work that is done. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work between jobs with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Numbers by which the labels of all tokens are drawn, 2^32 times those from 0 to 1 that jobs of
 * `tokensPerJob` tokens draw elsewhere, in the same order.
 */
export function labelDraws(tokens: number, tokensPerJob: number, seed: number): Uint32Array {
  const draws = new Uint32Array(tokens);
  for (let start = 0, job = 0; start < tokens; start += tokensPerJob, job++) {
    const random = createRandom(Math.imul(seed, 0x9e3779b1) + job);
    const end = Math.min(tokens, start + tokensPerJob);
    for (let token = start; token < end; token++) draws[token] = 2 ** 32 * random.uniform();
  }
  return draws;
}

/**
 * Calibrates on a device: moments add up there in float32 and come back once. Gives Σ p (1 - p) of each
 * logit over all tokens, where there is a backward pass.
 */
export async function calibrateOnDevice(
  device: Device,
  options: DeviceCalibrationOptions,
): Promise<Float64Array | undefined> {
  const { model, chunks, contextLength, draws, watch, signal, onProgress } = options;
  signal?.throwIfAborted();
  const batch = Math.max(1, Math.floor(tokensPerBackwardJob(model, device) / contextLength));
  const width = Math.min(chunks.length, batch * contextLength);
  device.gpu.pushErrorScope("out-of-memory");
  const calibrator = new DeviceCalibrator(device, options, width);
  if (await device.gpu.popErrorScope() !== null) {
    throw new InputError(
      "the graphics card has too little memory to calibrate the model; choose the backend wasm",
    );
  }
  let start = 0;
  while (start < chunks.length && !watch?.isEnough) {
    signal?.throwIfAborted();
    const end = Math.min(chunks.length, start + width, watch?.next(start) ?? Infinity);
    await calibrator.run(chunks.subarray(start, end), draws?.subarray(start, end));
    await watch?.look(end, chunks.length, () => calibrator.watched());
    onProgress?.(end / chunks.length);
    start = end;
  }
  return await calibrator.collect(start);
}

/** Most bytes of a block of logits. */
const logitBytes = 2 ** 29;

class DeviceCalibrator {
  readonly #device: Device;
  readonly #options: DeviceCalibrationOptions;
  readonly #buffers: ModelBuffers;
  readonly #workspace: Workspace;
  readonly #tables: RotationTables;
  readonly #gradients: GradientWorkspace | undefined;
  readonly #moments: DeviceMoments;
  readonly #draws: GPUBuffer;
  readonly #labels: GPUBuffer;
  readonly #logits: GPUBuffer;
  /** A copy of the logits where they are capped. */
  readonly #capped: GPUBuffer | undefined;
  readonly #logitRows: number;
  readonly #logitFisher: GPUBuffer;
  readonly #plans = new Map<number, readonly (readonly Step[])[]>();

  constructor(device: Device, options: DeviceCalibrationOptions, tokens: number) {
    const { model, weights, contextLength, draws, moments } = options;
    this.#device = device;
    this.#options = options;
    this.#buffers = sendWeights(device, model, weights);
    this.#workspace = makeWorkspace(device, model, tokens, contextLength);
    this.#tables = rotationTables(device);
    this.#gradients = draws === undefined
      ? undefined
      : makeGradientWorkspace(device, model, this.#workspace);
    this.#moments = new DeviceMoments(device, moments, tokens, this.#gradients);
    this.#draws = device.allocate(4 * tokens);
    this.#labels = device.allocate(4 * tokens);
    this.#logitFisher = device.allocate(4 * model.vocabularySize);
    const fitting = Math.floor(
      Math.min(logitBytes, device.largestBinding) / 4 / this.#logitStride,
    );
    const rows = fitting > 128 ? fitting - fitting % 128 : Math.max(1, fitting);
    this.#logitRows = draws === undefined ? 1 : Math.min(tokens, rows);
    this.#logits = device.allocate(4 * this.#logitRows * this.#logitStride);
    this.#capped = model.logitSoftCap === undefined
      ? undefined
      : device.allocate(this.#logits.size);
  }

  /** Adds what some chunks give to the moments on the device. */
  async run(ids: Int32Array, draws: Uint32Array | undefined): Promise<void> {
    const { model, weights, contextLength } = this.#options;
    const device = this.#device;
    device.write(this.#workspace.states, embedTokens(model, weights, ids, contextLength));
    if (draws !== undefined) device.write(this.#draws, draws);
    const known = this.#plans.get(ids.length);
    const plan = known ?? this.#plan(ids.length);
    this.#plans.set(ids.length, plan);
    for (const steps of plan) runSteps(device, steps);
    await device.gpu.queue.onSubmittedWorkDone();
    device.check();
  }

  /** Reads the moments that are watched. */
  watched(): Promise<MomentTriangle[]> {
    return this.#moments.watched(this.#options.model.hiddenSize);
  }

  /** Reads the moments back, and adds them to those in memory. */
  async collect(tokens: number): Promise<Float64Array | undefined> {
    const { draws, model: { vocabularySize } } = this.#options;
    await this.#moments.collect(tokens);
    if (draws === undefined) return undefined;
    const values = await this.#device.read(this.#logitFisher, 4 * vocabularySize);
    return Float64Array.from(new Float32Array(values));
  }

  get #logitStride(): number {
    return Math.ceil(this.#options.model.vocabularySize / 4) * 4;
  }

  /** One command buffer for each layer and direction, and for each block of logits. */
  #plan(rows: number): Step[][] {
    const { model, contextLength } = this.#options;
    const [device, workspace, gradients] = [this.#device, this.#workspace, this.#gradients];
    const sequences = { batch: rows / contextLength, length: contextLength };
    const run = { device, workspace, sequences, tables: this.#tables };
    const { states, normed } = workspace;
    const bytes = 4 * rows * model.hiddenSize;
    const head = { linears: [model.head], input: normed, rows };
    const plan = model.layers.map((layer, index): Step[] => [
      ...(gradients === undefined
        ? []
        : [{ source: states, target: gradients.saved[index]!, bytes }]),
      ...layerSteps(
        run,
        layer,
        this.#buffers.layers[index]!,
        (group, input) =>
          gradients === undefined
            ? this.#moments.addInputs({ linears: groupLinears(layer, group), input, rows })
            : [],
      ),
    ]);
    plan.push([
      normStep(device, {
        norm: model.finalNorm!,
        vectors: this.#buffers.finalNorm,
        input: states,
        output: normed,
        rows,
      }),
      ...(gradients === undefined ? this.#moments.addInputs(head) : []),
    ]);
    if (gradients !== undefined) plan.push(...this.#backwardPlan(run, gradients, rows));
    return plan;
  }

  #backwardPlan(run: LayerRun, gradients: GradientWorkspace, rows: number): Step[][] {
    const { model } = this.#options;
    const { device, workspace: { states, normed } } = run;
    const { gradient, attentionNormGradient } = gradients;
    const plan = this.#lossPlan(normed, gradients, rows);
    plan.push([
      ...this.#moments.addWeighed({ linears: [model.head], input: normed, rows }),
      { target: gradient, bytes: 4 * rows * model.hiddenSize },
      normGradientStep(device, {
        norm: model.finalNorm!,
        vectors: this.#buffers.finalNorm,
        input: states,
        gradient: attentionNormGradient,
        sum: gradient,
        rows,
      }),
    ]);
    for (const [index, layer] of [...model.layers.entries()].toReversed()) {
      const buffers = this.#buffers.layers[index]!;
      plan.push(
        backwardSteps(run, gradients, layer, index, buffers, (group, input, outputGradient) => {
          const seen = { linears: groupLinears(layer, group), input, rows };
          return this.#moments.addBoth(seen, outputGradient);
        }),
      );
    }
    plan.push(this.#moments.addEmbedding(gradient, rows));
    return plan;
  }

  /** The head: logits, labels drawn from them, and the gradient by its input, block by block. */
  #lossPlan(
    hidden: GPUBuffer,
    { attentionNormGradient, energies }: GradientWorkspace,
    rows: number,
  ): Step[][] {
    const { model } = this.#options;
    const { hiddenSize, vocabularySize, logitScale, logitSoftCap } = model;
    const [device, stride] = [this.#device, this.#logitStride];
    const capped = this.#capped;
    const cap = capped && { cap: { value: logitSoftCap!, logits: capped } };
    const isFinished = logitScale !== undefined || logitSoftCap !== undefined;
    const finish = isFinished && { finish: { scale: logitScale ?? 1, ...cap } };
    const blocks: Step[][] = [];
    for (let firstRow = 0; firstRow < rows; firstRow += this.#logitRows) {
      const count = Math.min(this.#logitRows, rows - firstRow);
      const place = { start: firstRow * hiddenSize, stride: hiddenSize };
      const { head } = this.#buffers;
      blocks.push([
        ...head.map(({ start, end, matrix }) =>
          productStep(device, {
            rows: count,
            columns: end - start,
            inner: hiddenSize,
            left: { buffer: hidden, ...place, layout: "alongInner" },
            right: matrix,
            result: { buffer: this.#logits, start, stride },
          })
        ),
        ...finishLogitsSteps(device, model, this.#logits, count * stride),
        ...(capped === undefined
          ? []
          : [{ source: this.#logits, target: capped, bytes: 4 * count * stride }]),
        ...sampledLossSteps(device, {
          ...finish,
          logits: this.#logits,
          rows: count,
          vocabularySize,
          stride,
          firstRow,
          draws: this.#draws,
          labels: this.#labels,
          energies,
          logitFisher: this.#logitFisher,
        }),
        ...head.map(({ start, end, matrix }, part) =>
          productStep(device, {
            rows: count,
            columns: hiddenSize,
            inner: end - start,
            left: { buffer: this.#logits, start, stride, layout: "alongInner" },
            right: turned(matrix),
            result: { buffer: attentionNormGradient, ...place },
            adds: part > 0,
          })
        ),
      ]);
    }
    return blocks;
  }
}
