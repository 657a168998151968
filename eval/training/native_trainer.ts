import type { OnnxGraph } from "../../data/onnx/onnx_model.ts";
import { headFeeds, headSettings, sumOfRow } from "../native/head_feeds.ts";
import { type HeadSettings, headValues } from "../native/head_graphs.ts";
import { headParts } from "../native/head_parts.ts";
import { layerValues } from "../native/layer_graphs.ts";
import type { Sequences } from "../native/layer_runner.ts";
import { nameByPlace, type NamedWeights } from "../native/named_weights.ts";
import { NativeModel } from "../native/native_model.ts";
import type { NativeFeeds, NativeResults } from "../native/part_runner.ts";
import { requireNativeRuntime } from "../native/runtime.ts";
import { LogSums, logSumsOf } from "../native/sampled_loss.ts";
import { NativeSessions } from "../native/sessions.ts";
import {
  divergenceGraph,
  trainedBackwardGraph,
  trainedForwardGraph,
  trainedHeadGains,
  trainedHeadGraph,
  trainedNormGraph,
  trainedSumGraph,
  trainingValues,
} from "../native/training_graphs.ts";
import type { LinearDescription, NormDescription } from "../architectures/description.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import type { PreparedTensor } from "../weights/prepared_weights.ts";
import {
  addEmbeddingGradients,
  addEmbeddingWeightGradients,
  embedWithGains,
} from "./embedding_gains.ts";
import { linearGains } from "./linear_gains.ts";
import { addTo, requireTrainable, zeroGradients, zeroWeightGradients } from "./trainables.ts";
import type { StepOptions, Trainables, Trainer, TrainerOptions, TrainingStep } from "./trainer.ts";

/** Tokens that go through the model at once, unless one chunk is longer. */
const tokensPerJob = 512;

/** What the original makes of a chunk. */
interface Reference {
  /** What goes into the head's product, `[tokens, hiddenSize]`. */
  readonly hidden: Float32Array;
  /** log Σ exp of the logits of each token. */
  readonly logSums: Float64Array;
}

/** What gradients are added to. */
interface Sums extends Trainables {
  /** Those by matrices, where they are wanted. */
  readonly weights: ReadonlyMap<string, Float32Array> | undefined;
}

/** Chunks that go through the model together. */
interface TrainingJob {
  readonly chunks: readonly Int32Array[];
  readonly sequences: Sequences;
  readonly at: Trainables;
  /** What gradients are added to; undefined where only the loss is wanted. */
  readonly sums: Sums | undefined;
  /** Weight of each position: one over the number of all. */
  readonly share: number;
}

/** The training step on the native runtime. */
export class NativeTrainer implements Trainer {
  readonly #options: TrainerOptions;
  readonly #sessions: NativeSessions;
  readonly #original: NativeModel;
  readonly #trained: NativeModel;
  /** The compressed model's weights; its vectors are those of the step. */
  readonly #weights: Map<string, PreparedTensor>;
  readonly #references = new WeakMap<Int32Array, Reference>();
  readonly #finalNorm: NormDescription;

  /** Throws `InputError` if there is no native runtime or the model cannot be trained. */
  constructor(options: TrainerOptions) {
    const { model, original, compressed, threads } = options;
    this.#finalNorm = requireTrainable(model);
    this.#options = options;
    this.#sessions = new NativeSessions(requireNativeRuntime(), threads);
    this.#weights = new Map(compressed);
    this.#original = new NativeModel(this.#sessions, model, original);
    this.#trained = new NativeModel(this.#sessions, model, this.#weights);
  }

  async step(
    chunks: readonly Int32Array[],
    at: Trainables,
    { weightGradients = false, signal }: StepOptions = {},
  ): Promise<TrainingStep> {
    const { model } = this.#options;
    const gradients = zeroGradients(model);
    const weights = weightGradients ? zeroWeightGradients(model) : undefined;
    const loss = await this.#run(chunks, at, { ...gradients, weights }, signal);
    return { loss, gradients, ...(weights !== undefined && { weights }) };
  }

  async loss(
    chunks: readonly Int32Array[],
    at: Trainables,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    return await this.#run(chunks, at, undefined, signal);
  }

  replaceWeights(weights: ReadonlyMap<string, Float32Array>): void {
    for (const [name, data] of weights) {
      const { half: _, ...tensor } = this.#weights.get(name)!;
      this.#weights.set(name, { ...tensor, data });
    }
  }

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  async #run(
    chunks: readonly Int32Array[],
    at: Trainables,
    sums: Sums | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    this.replaceWeights(at.vectors);
    const { length } = chunks[0]!;
    const count = Math.max(1, Math.floor(tokensPerJob / length));
    const share = 1 / (chunks.length * length);
    let loss = 0;
    for (let start = 0; start < chunks.length; start += count) {
      signal?.throwIfAborted();
      const own = chunks.slice(start, start + count);
      const sequences = { batch: own.length, length };
      loss += share * await this.#runJob({ chunks: own, sequences, at, sums, share });
    }
    return loss;
  }

  /** Runs chunks forward and back; gives the sum of the divergences. */
  async #runJob(job: TrainingJob): Promise<number> {
    const { chunks, sequences, at, sums } = job;
    const { model } = this.#options;
    const { description: { embeddingNorm }, layers } = this.#trained;
    const tokens = { ids: joinChunks(chunks), length: sequences.length };
    const rows = embedWithGains(model, this.#weights, at, tokens);
    const embedded = embeddingNorm === undefined
      ? rows
      : await this.#trained.mapNorm(embeddingNorm, rows);
    const states = [embedded];
    for (const index of model.layers.keys()) {
      const { result } = await layers.run(index, states.at(-1)!, sequences, {
        kind: "trained forward",
        make: (layer) => trainedForwardGraph(layer, true),
        feeds: this.#layerGains(index, at),
      });
      states.push(floats(result));
      if (sums === undefined) states.shift();
    }
    const last = states.pop()!;
    const hidden = await this.#trained.finish(last);
    const head = await this.#runHead(job, hidden);
    if (sums === undefined) return head.divergence;
    const byMatrices = sums.weights !== undefined;
    let gradient = await this.#goBackNorm(this.#finalNorm, last, head.hiddenGradient, sums);
    for (const index of [...model.layers.keys()].toReversed()) {
      const results = await layers.run(index, states.pop()!, sequences, {
        kind: byMatrices ? "trained backward with matrices" : "trained backward",
        make: (layer) => trainedBackwardGraph(layer, true, { byMatrices }),
        feeds: this.#layerGains(index, at),
        gradient,
      });
      gradient = floats(results[layerValues.result]);
      this.#addLayer(index, results, sums);
    }
    if (embeddingNorm !== undefined) {
      gradient = await this.#goBackNorm(embeddingNorm, rows, gradient, sums);
    }
    addEmbeddingGradients(model, this.#weights, at, tokens, gradient, sums);
    if (sums.weights !== undefined) {
      addEmbeddingWeightGradients(model, at, tokens, gradient, sums.weights);
    }
    return head.divergence;
  }

  /** The gains of a layer as feeds of its graphs. */
  #layerGains(index: number, at: Trainables): NativeFeeds {
    const { layers, parts } = this.#trained;
    const feeds: Record<string, ReturnType<typeof parts.floats>> = {};
    for (const linear of layerLinears(this.#options.model.layers[index]!)) {
      const place = layers.placeOf(index, linear.weight);
      const { inputs, outputs } = linearGains(linear, at);
      feeds[trainingValues.inputGains(place)] = parts.floats(inputs, inputs.length);
      feeds[trainingValues.outputGains(place)] = parts.floats(outputs, outputs.length);
    }
    return feeds;
  }

  /** Adds the gradients by a layer's gains, vectors and, where wanted, matrices. */
  #addLayer(index: number, results: NativeResults, sums: Sums): void {
    const { layers } = this.#trained;
    for (const linear of layerLinears(this.#options.model.layers[index]!)) {
      const place = layers.placeOf(index, linear.weight);
      addLinearGains(linear, place, results, sums);
      const matrix = sums.weights?.get(linear.weight);
      if (matrix !== undefined) addTo(matrix, floats(results[trainingValues.gradientBy(place)]));
    }
    addVectors(layers.tensorsOf(index), results, sums);
  }

  async #goBackNorm(
    norm: NormDescription,
    states: Float32Array,
    gradient: Float32Array,
    sums: Trainables,
  ): Promise<Float32Array> {
    const { parts } = this.#trained;
    const named: NamedWeights<{ readonly norm: NormDescription }> = nameByPlace({ norm });
    const rows = states.length / norm.size;
    const results = await parts.run("trained norm", named, trainedNormGraph, {
      [headValues.states]: parts.floats(states, rows, norm.size),
      [headValues.gradient]: parts.floats(gradient, rows, norm.size),
    });
    addVectors(named.names, results, sums);
    return floats(results[headValues.result]);
  }

  /** The sum of the divergences and, where wanted, its gradient by the hidden states. */
  async #runHead(
    job: TrainingJob,
    hidden: Float32Array,
  ): Promise<{ readonly divergence: number; readonly hiddenGradient: Float32Array }> {
    const { at, sums, share } = job;
    const { model } = this.#options;
    const { head, hiddenSize } = model;
    const { parts } = this.#trained;
    const rows = hidden.length / hiddenSize;
    const settings = headSettings(model);
    const reference = await this.#referenceOf(job);
    const gains = linearGains(head, at);
    const partFeeds = async (part: { readonly start: number; readonly end: number }) => ({
      ...await headFeeds(this.#trained, part, 1),
      [headValues.hidden(1)]: parts.floats(hidden, rows, hiddenSize),
      [trainedHeadGains.inputs]: parts.floats(gains.inputs, hiddenSize),
      [trainedHeadGains.outputs]: parts.floats(
        gains.outputs.subarray(part.start, part.end),
        part.end - part.start,
      ),
    });
    const session = async (
      kind: string,
      width: number,
      make: (width: number, settings: HeadSettings) => OnnxGraph,
    ) =>
      await parts.sessions.get(
        `${kind} ${width} ${JSON.stringify(settings)}`,
        () => make(width, settings),
      );
    const all = new LogSums(rows);
    for (const part of headParts(model)) {
      const run = await session("trained sums", part.end - part.start, trainedSumGraph);
      all.add(await run.run(await partFeeds(part), run.outputNames), 1);
    }
    const column = (values: ArrayLike<number>) => parts.floats(Float32Array.from(values), rows, 1);
    const shared = {
      [headValues.hidden(0)]: parts.floats(reference.hidden, rows, hiddenSize),
      [headValues.logSum]: column(reference.logSums),
      [trainingValues.trainedLogSum]: column(all.finish()),
    };
    let divergence = 0;
    const hiddenGradient = new Float32Array(sums === undefined ? 0 : hidden.length);
    for (const part of headParts(model)) {
      const width = part.end - part.start;
      const run = sums === undefined
        ? await session("divergence", width, divergenceGraph)
        : await session(
          sums.weights === undefined ? "trained head" : "trained head with matrix",
          width,
          (...given) => trainedHeadGraph(...given, { byMatrices: sums.weights !== undefined }),
        );
      const original = await headFeeds(this.#original, part, 0);
      const feeds = { ...shared, ...original, ...await partFeeds(part) };
      const results = await run.run(feeds, run.outputNames);
      for (let row = 0; row < rows; row++) {
        divergence += sumOfRow(results[trainingValues.divergence]!, row, rows);
      }
      if (sums === undefined) continue;
      const by = (name: string) => floats(results[trainingValues.gradientBy(name)]);
      const own = linearGains(head, sums);
      addScaled(hiddenGradient, by(headValues.hidden(1)), share);
      addScaled(own.inputs, by(trainedHeadGains.inputs), share);
      addScaled(own.outputs.subarray(part.start), by(trainedHeadGains.outputs), share);
      const matrix = sums.weights?.get(head.weight);
      if (matrix !== undefined) {
        const rows = matrix.subarray(part.start * hiddenSize);
        addScaled(rows, by(headValues.weight(1)), share);
      }
      if (head.bias !== undefined) {
        const bias = sums.vectors.get(head.bias)!;
        addScaled(bias.subarray(part.start), by(headValues.bias(1)), share);
      }
    }
    return { divergence, hiddenGradient };
  }

  /** What the original makes of the chunks of a job, one after another. */
  async #referenceOf({ chunks, sequences }: TrainingJob): Promise<Reference> {
    const { length } = sequences;
    const { hiddenSize } = this.#options.model;
    const missing = chunks.filter((chunk) => !this.#references.has(chunk));
    if (missing.length > 0) {
      const ids = joinChunks(missing);
      const states = await this.#original.run(ids, { batch: missing.length, length });
      const hidden = await this.#original.finish(states);
      const logSums = await logSumsOf(this.#original, hidden, ids.length);
      missing.forEach((chunk, i) =>
        this.#references.set(chunk, {
          hidden: hidden.slice(i * length * hiddenSize, (i + 1) * length * hiddenSize),
          logSums: logSums.slice(i * length, (i + 1) * length),
        })
      );
    }
    const hidden = new Float32Array(chunks.length * length * hiddenSize);
    const logSums = new Float64Array(chunks.length * length);
    chunks.forEach((chunk, i) => {
      const reference = this.#references.get(chunk)!;
      hidden.set(reference.hidden, i * length * hiddenSize);
      logSums.set(reference.logSums, i * length);
    });
    return { hidden, logSums };
  }
}

function floats(tensor: NativeResults[string] | undefined): Float32Array {
  return tensor!.data as Float32Array;
}

function joinChunks(chunks: readonly Int32Array[]): Int32Array {
  return Int32Array.from(chunks.flatMap((chunk) => [...chunk]));
}

function addScaled(sums: Float32Array, values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) sums[i]! += factor * values[i]!;
}

function addLinearGains(
  linear: LinearDescription,
  place: string,
  results: NativeResults,
  sums: Trainables,
): void {
  const { inputs, outputs } = linearGains(linear, sums);
  const by = (name: string) => floats(results[trainingValues.gradientBy(name)]);
  addTo(inputs, by(trainingValues.inputGains(place)));
  addTo(outputs, by(trainingValues.outputGains(place)));
}

/** Adds the gradients by the vectors of a part whose tensors have these names by place. */
function addVectors(
  names: ReadonlyMap<string, string>,
  results: NativeResults,
  sums: Trainables,
): void {
  for (const [place, name] of names) {
    const vector = sums.vectors.get(name);
    if (vector !== undefined) addTo(vector, floats(results[trainingValues.gradientBy(place)]));
  }
}
