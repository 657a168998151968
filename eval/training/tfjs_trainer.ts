import { Worker } from "../../workers/web_worker.ts";
import { requireSharedMemory, shareFloat32Array } from "../../workers/shared_array.ts";
import { WorkerPool } from "../../workers/worker_pool.ts";
import type { TfjsBackend } from "../compute/backend.ts";
import { planMemory } from "../scoring/memory_plan.ts";
import type { PreparedTensor } from "../weights/prepared_weights.ts";
import {
  addTo,
  arraysOf,
  mapTrainables,
  requireTrainable,
  zeroGradients,
  zeroWeightGradients,
} from "./trainables.ts";
import type { TrainingJob, TrainingSums } from "./train_chunks.ts";
import type { TrainSetup } from "./train_worker.ts";
import type { StepOptions, Trainables, Trainer, TrainerOptions, TrainingStep } from "./trainer.ts";

/** Tokens of a job, unless one chunk is longer. */
const tokensPerJob = 512;

/** What a {@linkcode TfjsTrainer} is made of; weights are in shared memory. */
export interface TfjsTrainerOptions extends TrainerOptions {
  /** Where tfjs computes. */
  readonly backend: TfjsBackend;
}

/**
 * The training step in Web Workers, each with a part of the chunks. On WebAssembly the same chunks give
 * the same bits, however many threads there are.
 */
export class TfjsTrainer implements Trainer {
  readonly #options: TfjsTrainerOptions;
  readonly #compressed: Map<string, PreparedTensor>;
  readonly #references = new WeakMap<Int32Array, Float32Array>();
  #pool: WorkerPool<TrainSetup, TrainingJob, TrainingSums> | undefined;

  /** Throws `InputError` if the model cannot be trained. */
  constructor(options: TfjsTrainerOptions) {
    requireTrainable(options.model);
    requireSharedMemory("tuning");
    this.#options = options;
    this.#compressed = new Map(options.compressed);
  }

  async step(
    chunks: readonly Int32Array[],
    at: Trainables,
    { weightGradients = false, signal }: StepOptions = {},
  ): Promise<TrainingStep> {
    const { model } = this.#options;
    const gradients = zeroGradients(model);
    const weights = weightGradients ? zeroWeightGradients(model) : undefined;
    const loss = await this.#run(chunks, at, { gradients, weights }, signal);
    return { loss, gradients, ...(weights !== undefined && { weights }) };
  }

  async loss(
    chunks: readonly Int32Array[],
    at: Trainables,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    return await this.#run(chunks, at, {}, signal);
  }

  replaceWeights(weights: ReadonlyMap<string, Float32Array>): void {
    for (const [name, data] of weights) {
      // What held the old values in 16 bits must not pass for the new ones.
      const { half: _, ...tensor } = this.#compressed.get(name)!;
      this.#compressed.set(name, { ...tensor, data: shareFloat32Array(data) });
    }
    this.#pool?.close();
    this.#pool = undefined;
  }

  close(): Promise<void> {
    this.#pool?.close();
    return Promise.resolve();
  }

  /** The mean divergence; adds its gradients to those that are given. */
  async #run(
    chunks: readonly Int32Array[],
    at: Trainables,
    { gradients, weights }: {
      readonly gradients?: Trainables;
      readonly weights?: ReadonlyMap<string, Float32Array> | undefined;
    },
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { length } = chunks[0]!;
    const count = Math.max(1, Math.floor(tokensPerJob / length));
    const shared = mapTrainables(at, shareFloat32Array);
    const groups = Array.from(
      { length: Math.ceil(chunks.length / count) },
      (_, i) => chunks.slice(i * count, (i + 1) * count),
    );
    const jobs = groups.map((own): TrainingJob => {
      const known = own.map((chunk) => this.#references.get(chunk));
      const isKnown = known.every((reference) => reference !== undefined);
      return {
        ids: Int32Array.from(own.flatMap((chunk) => [...chunk])),
        length,
        at: shared,
        ...(isKnown && { reference: join(known) }),
        backward: gradients !== undefined,
        byMatrices: weights !== undefined,
      };
    });
    this.#pool ??= this.#start(count * length, length);
    const results = await this.#pool.run(jobs, signal === undefined ? {} : { signal });
    let divergence = 0;
    results.forEach((sums, i) => {
      divergence += sums.divergence;
      const { hiddenSize } = this.#options.model;
      groups[i]!.forEach((chunk, j) => {
        const from = j * length * hiddenSize;
        if (this.#references.has(chunk)) return;
        this.#references.set(chunk, sums.reference.slice(from, from + length * hiddenSize));
      });
      if (gradients === undefined) return;
      const found = arraysOf(sums.gradients!);
      arraysOf(gradients).forEach((values, at) => addTo(values, found[at]!));
      weights?.forEach((values, name) => addTo(values, sums.weights!.get(name)!));
    });
    const share = 1 / (chunks.length * length);
    for (
      const values of [...(gradients && arraysOf(gradients)) ?? [], ...weights?.values() ?? []]
    ) {
      for (let i = 0; i < values.length; i++) values[i]! *= share;
    }
    return divergence * share;
  }

  #start(batchTokens: number, contextLength: number) {
    const { model, original, backend, threads } = this.#options;
    const demand = { copies: 4, batchTokens, contextLength, backward: true };
    const { resident } = planMemory(model, demand);
    return new WorkerPool<TrainSetup, TrainingJob, TrainingSums>({
      start: () => new Worker(new URL("./train_worker.ts", import.meta.url), { type: "module" }),
      threads,
      setup: { model, original, compressed: this.#compressed, resident, backend },
    });
  }
}

function join(parts: readonly (Float32Array | undefined)[]): Float32Array {
  const length = parts.reduce((sum, part) => sum + part!.length, 0);
  const joined = shareFloat32Array(new Float32Array(length));
  let at = 0;
  for (const part of parts) {
    joined.set(part!, at);
    at += part!.length;
  }
  return joined;
}
