import { InputError } from "../../data/input_error.ts";
import { embedTokens } from "../model/embed_tokens.ts";
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import type { Device } from "../webgpu/device.ts";
import { type ModelBuffers, sendWeights } from "../webgpu/model_weights.ts";
import { openDevice } from "../webgpu/open_device.ts";
import { runSteps, type Step } from "../webgpu/program.ts";
import { whyUnsupported } from "../webgpu/supported.ts";
import { embeddingsOf } from "../webgpu/trained_places.ts";
import { type KeptGradients, TrainingRun } from "../webgpu/training_run.ts";
import { tokensPerBackwardJob } from "../webgpu/workspace.ts";
import { addWeightGradients, type Lookup } from "./device_weight_gradients.ts";
import { arraysOf, requireTrainable, zeroGradients, zeroWeightGradients } from "./trainables.ts";
import type {
  MatrixGains,
  StepOptions,
  Trainables,
  Trainer,
  TrainerOptions,
  TrainingStep,
} from "./trainer.ts";

/** Most bytes of the original's states that stay on the card. */
const keptBytes = 2 ** 30;

/** Gradients that are being added up. */
interface Sums extends Trainables {
  readonly weights: ReadonlyMap<string, Float32Array> | undefined;
  divergence: number;
}

/**
 * Opens a graphics card and trains there: weights are sent once, gains for each step, and the
 * divergence and its gradients come back. Gives undefined if its programs cannot run the model. Throws
 * {@linkcode InputError} where there is no card, it is too small, or the model cannot be trained.
 */
export async function openDeviceTrainer(
  options: TrainerOptions,
  open: () => Promise<Device> = openDevice,
): Promise<Trainer | undefined> {
  requireTrainable(options.model);
  const device = await open();
  try {
    if (whyUnsupported(options.model, device, 1) !== undefined) {
      device.close();
      return undefined;
    }
    const original = await orTooLarge(
      device,
      () => sendWeights(device, options.model, options.original),
    );
    return new DeviceTrainer(device, options, original);
  } catch (error) {
    device.close();
    throw error;
  }
}

/** What `allocate` gives; throws {@linkcode InputError} if the card has no room for it. */
async function orTooLarge<T>(device: Device, allocate: () => T): Promise<T> {
  device.gpu.pushErrorScope("out-of-memory");
  const made = allocate();
  if (await device.gpu.popErrorScope() === null) return made;
  throw new InputError(
    "the graphics card has too little memory to train the model; choose the backend wasm",
  );
}

class DeviceTrainer implements Trainer {
  readonly #device: Device;
  readonly #options: TrainerOptions;
  readonly #original: ModelBuffers;
  #compressed: PreparedWeights;
  #run: TrainingRun | undefined;
  /** What the run has room for. */
  #room = { tokens: 0, length: 0 };
  #kept: KeptGradients | undefined;
  readonly #plans = new Map<string, readonly (readonly Step[])[]>();
  /** The original's states before its head, by chunk, those used last at the end. */
  readonly #hidden = new Map<Int32Array, GPUBuffer>();

  constructor(device: Device, options: TrainerOptions, original: ModelBuffers) {
    this.#device = device;
    this.#options = options;
    this.#original = original;
    this.#compressed = options.compressed;
  }

  async step(
    chunks: readonly Int32Array[],
    at: Trainables,
    { weightGradients = false, signal }: StepOptions = {},
  ): Promise<TrainingStep> {
    const sums = this.#zeros(weightGradients);
    const positions = await this.#runJobs(chunks, at, sums, true, signal);
    const divide = (values: Float32Array) =>
      values.forEach((value, i) => values[i] = value / positions);
    arraysOf(sums).forEach(divide);
    sums.weights?.forEach((gradient, name) => {
      divide(gradient);
      multiplyByGains(gradient, at.gains.get(name)!);
    });
    const { gains, vectors, weights, divergence } = sums;
    return {
      loss: divergence / positions,
      gradients: { gains, vectors },
      ...(weights !== undefined && { weights }),
    };
  }

  async loss(
    chunks: readonly Int32Array[],
    at: Trainables,
    { signal }: Pick<StepOptions, "signal"> = {},
  ): Promise<number> {
    const sums: Sums = { gains: new Map(), vectors: new Map(), weights: undefined, divergence: 0 };
    const positions = await this.#runJobs(chunks, at, sums, false, signal);
    return sums.divergence / positions;
  }

  replaceWeights(weights: ReadonlyMap<string, Float32Array>): void {
    const replaced = Array.from(this.#compressed, ([name, tensor]): [string, PreparedTensor] => {
      const data = weights.get(name);
      if (data === undefined) return [name, tensor];
      // What it was held by in 16 bits are the values before.
      const { half: _, ...rest } = tensor;
      return [name, { ...rest, data }];
    });
    this.#compressed = new Map(replaced);
    this.#forget();
  }

  close(): Promise<void> {
    this.#device.close();
    return Promise.resolve();
  }

  /** Runs as many chunks at once as there is room for; gives the number of positions. */
  async #runJobs(
    chunks: readonly Int32Array[],
    at: Trainables,
    sums: Sums,
    differentiates: boolean,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    signal?.throwIfAborted();
    const length = chunks[0]?.length ?? 0;
    if (length === 0 || chunks.some((chunk) => chunk.length !== length)) {
      throw new RangeError("chunks are empty or differ in length");
    }
    const reason = whyUnsupported(this.#options.model, this.#device, length);
    if (reason !== undefined) {
      throw new InputError(`chunks of ${length} tokens cannot be trained on WebGPU: ${reason}`);
    }
    const most = tokensPerBackwardJob(this.#options.model, this.#device);
    const batch = Math.min(chunks.length, Math.max(1, Math.floor(most / length)));
    const run = await this.#makeRoom(batch * length, length);
    const values = new Float32Array(run.trained.places.size);
    for (const { tensor, kind, place, start, length, offset } of run.trained.places.runs) {
      const whole = valuesOf(at, tensor, kind);
      values.set(whole.subarray(start, start + length), place);
      if (offset !== 0) {
        for (let i = place; i < place + length; i++) values[i]! += offset;
      }
    }
    for (let start = 0; start < chunks.length; start += batch) {
      signal?.throwIfAborted();
      const job = chunks.slice(start, start + batch);
      await this.#runJob(run, job, { at, values, sums, differentiates, isFirst: start === 0 });
    }
    return chunks.length * length;
  }

  async #runJob(
    run: TrainingRun,
    chunks: readonly Int32Array[],
    { at, values, sums, differentiates, isFirst }: {
      at: Trainables;
      values: Float32Array;
      sums: Sums;
      differentiates: boolean;
      isFirst: boolean;
    },
  ): Promise<void> {
    const device = this.#device;
    const { trained } = run;
    const length = chunks[0]!.length;
    const sequences = { batch: chunks.length, length };
    const rows = chunks.length * length;
    this.#bringOriginal(run, chunks);
    const lookups = this.#lookUp(chunks);
    lookups.forEach(({ tensor, places, values: embedded }, index) => {
      const gains = valuesOf(at, tensor, "rows");
      const { rowGains, weights } = trained.lookups[index]!;
      places.forEach((place, token) => values[rowGains + token] = gains[place]!);
      device.write(weights as GPUBuffer, embedded);
    });
    device.write(trained.gains.values, values);
    if (isFirst) runSteps(device, trained.applySteps);
    if (sums.weights !== undefined) {
      this.#kept ??= await orTooLarge(device, () => run.allocateKept());
    }
    const kept = sums.weights === undefined ? undefined : this.#kept;
    const plan = this.#plan(
      `${chunks.length} ${length} ${differentiates} ${kept !== undefined}`,
      () => run.trainedPlan(sequences, { differentiates, ...(kept && { kept }) }),
    );
    for (const steps of plan) runSteps(device, steps);
    const { places: { divergences, runs, size } } = trained;
    const read = differentiates
      ? await device.read(trained.gradients, 4 * size)
      : await device.read(trained.gains.sums, 4 * (divergences + rows));
    const found = new Float32Array(read);
    for (let row = 0; row < rows; row++) sums.divergence += found[divergences + row]!;
    if (!differentiates) return;
    for (const { tensor, kind, place, start, length } of runs) {
      const sum = valuesOf(sums, tensor, kind);
      for (let i = 0; i < length; i++) sum[start + i]! += found[place + i]!;
    }
    lookups.forEach(({ tensor, places }, index) => {
      const sum = valuesOf(sums, tensor, "rows");
      const { rowGains } = trained.lookups[index]!;
      places.forEach((place, token) => sum[place]! += found[rowGains + token]!);
    });
    if (kept !== undefined) {
      await addWeightGradients(device, {
        model: this.#options.model,
        run,
        kept,
        lookups,
        sums: sums.weights!,
      });
    }
  }

  /** Rows of embeddings that tokens look up, without gains, and which they are. */
  #lookUp(chunks: readonly Int32Array[]): Lookup[] {
    const { model } = this.#options;
    const { hiddenSize, embeddingScale = 1, positionOffset = 0 } = model;
    const length = chunks[0]!.length;
    const rows = chunks.length * length;
    return embeddingsOf(model).map((tensor, index) => {
      const { data, places: held } = this.#compressed.get(tensor)!;
      const scale = index === 0 ? embeddingScale : 1;
      const places = new Int32Array(rows);
      const values = new Float32Array(rows * hiddenSize);
      for (let row = 0; row < rows; row++) {
        const token = chunks[Math.floor(row / length)]![row % length]!;
        places[row] = index === 0 ? token : positionOffset + row % length;
        const from = (held?.get(places[row]!) ?? places[row]!) * hiddenSize;
        values.set(data.subarray(from, from + hiddenSize), row * hiddenSize);
      }
      if (scale !== 1) values.forEach((value, i) => values[i] = scale * value);
      return { tensor, places, values, scale };
    });
  }

  /** Puts the original's states before its head in their place, made once for each chunk. */
  #bringOriginal(run: TrainingRun, chunks: readonly Int32Array[]): void {
    const device = this.#device;
    const { model, original } = this.#options;
    const length = chunks[0]!.length;
    const bytes = 4 * length * model.hiddenSize;
    const missing = [...new Set(chunks)].filter((chunk) => !this.#hidden.has(chunk));
    if (missing.length > 0) {
      const ids = new Int32Array(missing.length * length);
      missing.forEach((chunk, index) => ids.set(chunk, index * length));
      device.write(run.workspace.states, embedTokens(model, original, ids, length));
      const plan = this.#plan(
        `original ${missing.length} ${length}`,
        () => run.originalPlan({ batch: missing.length, length }),
      );
      for (const steps of plan) runSteps(device, steps);
    }
    const encoder = device.gpu.createCommandEncoder();
    missing.forEach((chunk, index) => {
      const kept = device.allocate(bytes);
      this.#hidden.set(chunk, kept);
      encoder.copyBufferToBuffer(run.originalHidden, index * bytes, kept, 0, bytes);
    });
    chunks.forEach((chunk, index) => {
      const kept = this.#hidden.get(chunk)!;
      this.#hidden.delete(chunk);
      this.#hidden.set(chunk, kept);
      encoder.copyBufferToBuffer(kept, 0, run.originalHidden, index * bytes, bytes);
    });
    device.submit(encoder);
    let room = keptBytes - [...this.#hidden.values()].reduce((sum, { size }) => sum + size, 0);
    for (const [chunk, buffer] of this.#hidden) {
      if (room >= 0) break;
      this.#hidden.delete(chunk);
      room += buffer.size;
      buffer.destroy();
    }
  }

  /** The run, with room for as many tokens as this, in sequences as long. */
  async #makeRoom(tokens: number, length: number): Promise<TrainingRun> {
    if (this.#run !== undefined && tokens <= this.#room.tokens && length <= this.#room.length) {
      return this.#run;
    }
    this.#room = {
      tokens: Math.max(tokens, this.#room.tokens),
      length: Math.max(length, this.#room.length),
    };
    this.#forget();
    const { model } = this.#options;
    const { tokens: most, length: longest } = this.#room;
    this.#run = await orTooLarge(
      this.#device,
      () =>
        new TrainingRun(
          this.#device,
          model,
          this.#original,
          this.#compressed,
          most,
          longest,
        ),
    );
    return this.#run;
  }

  /** Frees everything but the original. */
  #forget(): void {
    this.#plans.clear();
    this.#run?.destroy();
    this.#run = undefined;
    const { layers, head } = this.#kept ?? { layers: [], head: [] };
    for (const buffer of [...head, ...layers.flatMap((layer) => Object.values(layer))]) {
      buffer.destroy();
    }
    this.#kept = undefined;
  }

  #plan(key: string, make: () => Step[][]): readonly (readonly Step[])[] {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#plans.set(key, made);
    return made;
  }

  #zeros(weightGradients: boolean): Sums {
    const { model } = this.#options;
    const weights = weightGradients ? zeroWeightGradients(model) : undefined;
    return { ...zeroGradients(model), weights, divergence: 0 };
  }
}

/** Makes a gradient by a matrix with its gains one by the matrix before them. */
function multiplyByGains(gradient: Float32Array, { rows, columns }: MatrixGains): void {
  for (let row = 0, at = 0; row < rows.length; row++) {
    for (let column = 0; column < columns.length; column++, at++) {
      gradient[at]! *= rows[row]! * columns[column]!;
    }
  }
}

/** Gains or values of a tensor. */
function valuesOf(
  { gains, vectors }: Trainables,
  tensor: string,
  kind: "rows" | "columns" | "vector",
): Float32Array {
  return kind === "vector" ? vectors.get(tensor)! : gains.get(tensor)![kind];
}
