import * as tf from "@tensorflow/tfjs";
import {
  requireSharedMemory,
  sharedFloat32Array,
  sharedFloat64Array,
  sharedInt32Array,
  shareFloat32Array,
} from "../../workers/shared_array.ts";
import { Worker } from "../../workers/web_worker.ts";
import { WorkerPool } from "../../workers/worker_pool.ts";
import { tidyValues } from "../compute/backend.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { type PreparedTensor, sendWeights, type SentTensor } from "../weights/prepared_weights.ts";
import type { DriftEngine, DriftEngineOptions, LinearInput } from "./drift_engine.ts";
import type { DriftHalves, DriftSums, Multiply } from "./drift_sums.ts";
import type { ComparedInput, DriftJob, LayerJob } from "./drift_job.ts";
import type { DriftSetup } from "./drift_worker.ts";
import type { DriftFit, FitAsk } from "./fit_drift.ts";
import { residualGap, residualWriters } from "./residual_writers.ts";

/** Runs both models in Web Workers by tfjs on WASM, each a batch at a time. */
export class WorkerDriftEngine implements DriftEngine {
  readonly #options: DriftEngineOptions;
  readonly #pool: WorkerPool<DriftSetup, DriftJob, DriftFit | undefined>;
  /** What goes into the layer ahead, of each batch; nothing before the first. */
  #states: { readonly theirs: Float32Array; readonly ours: Float32Array }[] = [];
  /** What goes into linear maps of the original's layer, of each batch. */
  #theirs = new Map<string, readonly Float32Array[]>();
  /** What goes into linear maps of ours, of each batch, where all before it can be spared. */
  #ours = new Map<string, readonly Float32Array[]>();
  /** What our residual stream misses before the layer, of each batch. */
  #gaps: readonly Float32Array[] = [];
  #layer = 0;
  readonly #memory = new Map<string, Float32Array>();
  readonly #sums = new Map<string, DriftHalves>();
  readonly #sent = new WeakMap<PreparedTensor, SentTensor>();

  /** Stands before the first layer; the original's weights should be in shared memory. */
  constructor(options: DriftEngineOptions) {
    requireSharedMemory("correcting drift");
    const { model, original, threads } = options;
    this.#options = options;
    this.#pool = new WorkerPool({
      start: () => new Worker(new URL("./drift_worker.ts", import.meta.url), { type: "module" }),
      threads,
      setup: { description: model, weights: sendWeights(original) },
    });
  }

  async enter(inputs: readonly LinearInput[]): Promise<void> {
    const { batches, model: { hiddenSize, layers, tokenEmbedding, positionEmbedding } } =
      this.#options;
    if (this.#states.length === 0) {
      this.#states = batches.map(({ ids }) => ({
        theirs: sharedFloat32Array(ids.length * hiddenSize),
        ours: sharedFloat32Array(ids.length * hiddenSize),
      }));
      const replaced = this.#replaced([tokenEmbedding, positionEmbedding]);
      await this.#run([
        ...this.#jobs(({ theirs }) => ({ states: theirs, advances: true })),
        ...this.#jobs(({ ours }) => ({ states: ours, advances: true, replaced })),
      ]);
    }
    const layer = this.#layer;
    if (layer === layers.length) throw new RangeError("there is no further layer");
    const writers = residualWriters(layers[layer]!);
    if (writers.length > 0) {
      this.#gaps = this.#places("gap", hiddenSize);
      for (const [i, { theirs, ours }] of this.#states.entries()) {
        this.#gaps[i]!.set(residualGap(theirs, ours, layers[layer]!));
      }
    }
    const sizes = new Map([
      ...inputs.map(({ weight, size }) => [weight, size] as const),
      ...writers.map(({ weight, inputs }) => [weight, inputs] as const),
    ]);
    const places = Array.from(
      sizes,
      ([weight, size], place) => [weight, this.#places(`theirs ${place}`, size)] as const,
    );
    this.#theirs = new Map(places);
    await this.#run(this.#jobs(({ theirs }, i) => ({
      ...{ states: theirs, layer, advances: true },
      inputs: new Map(places.map(([weight, each]) => [weight, each[i]!])),
    })));
  }

  async compare({ weight, size }: LinearInput): Promise<DriftHalves> {
    const turns = sharedInt32Array(2);
    const original = this.#theirs.get(weight)!;
    const layer = this.#options.model.layers[this.#layer]!;
    const { attention, feedForward } = layer;
    const writers = residualWriters(layer);
    const writer = writers.find((each) => each.weight === weight);
    const before = writer === writers[0] ? undefined : writers[0];
    const sums = this.#sumsOf(size, writer?.outputs ?? size);
    const isKept = weight === attention.output.weight || weight === feedForward.down.weight;
    const kept = isKept ? this.#places(`ours ${this.#ours.size}`, size) : undefined;
    await this.#run(this.#jobs(({ ours }, i) => ({
      ...this.#ourLayer(i),
      states: ours,
      advances: false,
      ...(kept && { inputs: new Map([[weight, kept[i]!]]) }),
      compared: {
        ...{ weight, turns, original: original[i]!, sums: sums[i % 2]! },
        ...{ index: i % 2, turn: Math.floor(i / 2) },
        ...(writer && {
          residual: {
            gap: this.#gaps[i]!,
            ...(before && {
              before: { weight: before.weight, original: this.#theirs.get(before.weight)![i]! },
            }),
          },
        }),
      } satisfies ComparedInput,
    })));
    if (kept !== undefined) this.#ours.set(weight, kept);
    return sums;
  }

  async leave(): Promise<void> {
    await this.#run(this.#jobs(({ ours }, i) => ({
      ...this.#ourLayer(i),
      ...{ states: ours, advances: true },
    })));
    this.#layer++;
    this.#ours.clear();
  }

  async fit(asks: readonly FitAsk[]): Promise<DriftFit[]> {
    const fits = await this.#run(asks.map((ask) => ({ kind: "fit" as const, ...ask })));
    return fits.map((fit) => fit!);
  }

  readonly multiply: Multiply = (a, b, { rows, depth, columns }) =>
    Promise.resolve(
      tidyValues(() => tf.matMul(tf.tensor2d(a, [rows, depth]), tf.tensor2d(b, [depth, columns]))),
    );

  close(): Promise<void> {
    this.#pool.close();
    return Promise.resolve();
  }

  async #run(jobs: readonly DriftJob[]): Promise<(DriftFit | undefined)[]> {
    const { signal } = this.#options;
    return await this.#pool.run(jobs, { ...(signal && { signal }) });
  }

  /** A job for each batch. */
  #jobs(
    make: (
      states: { readonly theirs: Float32Array; readonly ours: Float32Array },
      batch: number,
    ) => Pick<LayerJob, "states" | "advances"> & Partial<LayerJob>,
  ): LayerJob[] {
    const none: ReadonlyMap<string, never> = new Map<string, never>();
    return this.#options.batches.map((batch, i) => ({
      ...{ kind: "layer", batch, replaced: none, known: none, inputs: none },
      ...make(this.#states[i]!, i),
    }));
  }

  /** The layer ahead as far as it is quantized, and what is known of a batch in it. */
  #ourLayer(batch: number): Pick<LayerJob, "layer" | "replaced" | "known"> {
    const layer = this.#layer;
    const linears = layerLinears(this.#options.model.layers[layer]!);
    const known = new Map(Array.from(this.#ours, ([weight, each]) => [weight, each[batch]!]));
    return { layer, replaced: this.#replaced(linears.map(({ weight }) => weight)), known };
  }

  /** Those of some weights that are quantized. */
  #replaced(names: readonly (string | undefined)[]): Map<string, SentTensor> {
    const { original, quantized } = this.#options;
    const replaced = new Map<string, SentTensor>();
    for (const name of names) {
      if (name === undefined) continue;
      const tensor = quantized.get(name)!;
      if (tensor === original.get(name)) continue;
      const { shape, outputsFirst, data } = tensor;
      const sent = this.#sent.get(tensor) ??
        { shape, outputsFirst, data: shareFloat32Array(data) };
      this.#sent.set(tensor, sent);
      replaced.set(name, sent);
    }
    return replaced;
  }

  /** Where so many values of each token are written, of each batch; used again in every layer. */
  #places(what: string, size: number): Float32Array[] {
    return this.#options.batches.map(({ ids }, i) => {
      const key = `${what} ${i}`, length = ids.length * size;
      const known = this.#memory.get(key);
      if (known?.length === length) return known;
      const made = sharedFloat32Array(length);
      this.#memory.set(key, made);
      return made;
    });
  }

  /** Sums of nothing, in the memory of the last. */
  #sumsOf(size: number, columns: number): DriftHalves {
    const key = `${size} ${columns}`;
    let sums = this.#sums.get(key);
    if (sums === undefined) {
      const none = (): DriftSums => ({
        moment: sharedFloat64Array(size * size),
        missing: sharedFloat64Array(size * columns),
      });
      sums = [none(), none()];
      this.#sums.set(key, sums);
    }
    for (const { moment, missing } of sums) {
      moment.fill(0);
      missing.fill(0);
    }
    return sums;
  }
}
