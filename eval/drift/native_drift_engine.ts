import type { OnnxGraph } from "../../data/onnx/onnx_model.ts";
import type { LinearDescription } from "../architectures/description.ts";
import { layerValues } from "../native/layer_graphs.ts";
import type { Sequences } from "../native/layer_runner.ts";
import { NativeModel } from "../native/native_model.ts";
import { type NativeSession, type NativeTensor, requireNativeRuntime } from "../native/runtime.ts";
import { NativeSessions } from "../native/sessions.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import type { Batch, DriftEngine, DriftEngineOptions, LinearInput } from "./drift_engine.ts";
import { addValues, type DriftHalves, type DriftSums, type Multiply } from "./drift_sums.ts";
import { type DriftFit, type FitAsk, fitDrift } from "./fit_drift.ts";
import { driftGraph, gapGraph, productGraph, writerGraph } from "./native_drift_graphs.ts";
import { residualGap, residualWriters } from "./residual_writers.ts";

/** Runs both models on the native runtime; throws `InputError` where there is none. */
export class NativeDriftEngine implements DriftEngine {
  readonly #options: DriftEngineOptions;
  readonly #sessions: NativeSessions;
  /** The original's weights, those of the layer ahead as they are multiplied. */
  readonly #original: Map<string, PreparedTensor>;
  readonly #theirs: NativeWalk;
  readonly #ours: NativeWalk;
  /** What goes into linear maps of the original's layer, of each batch. */
  #inputs: readonly LinearInputs[] = [];
  /** What our residual stream misses before the layer, of each batch. */
  #gaps: readonly Float32Array[] = [];
  #layer = 0;

  /** Stands before the first layer. */
  constructor(options: DriftEngineOptions) {
    const { model, original, quantized, batches, threads } = options;
    this.#options = options;
    this.#sessions = new NativeSessions(requireNativeRuntime(), threads);
    this.#original = new Map(original);
    const walk = (weights: PreparedWeights) =>
      new NativeWalk(new NativeModel(this.#sessions, model, weights), batches);
    this.#theirs = walk(this.#original);
    this.#ours = walk(quantized);
  }

  async enter(inputs: readonly LinearInput[]): Promise<void> {
    const { model, original } = this.#options;
    if (this.#layer === 0) { for (const walk of [this.#theirs, this.#ours]) await walk.begin(); }
    const layer = model.layers[this.#layer]!;
    const matrices = layerLinears(layer).map(({ weight }) => weight);
    const writers = residualWriters(layer);
    this.#gaps = writers.length === 0
      ? []
      : this.#theirs.states.map((states, i) => residualGap(states, this.#ours.states[i]!, layer));
    // Expanded once, not for each batch.
    for (const name of matrices) {
      const { shape, outputsFirst, data } = original.get(name)!;
      this.#original.set(name, { shape, outputsFirst, data });
    }
    const wanted = new Set([...inputs, ...writers].map(({ weight }) => weight));
    this.#inputs = await this.#theirs.advance([...wanted]);
    for (const name of matrices) this.#original.set(name, original.get(name)!);
  }

  async compare({ weight, size }: LinearInput): Promise<DriftHalves> {
    const { model, original, signal } = this.#options;
    const writers = residualWriters(model.layers[this.#layer]!);
    const writer = writers.find((each) => each.weight === weight);
    if (writer !== undefined && writer !== writers[0]) await this.#fillGaps(writers[0]!);
    const session = writer === undefined
      ? await this.#sessions.get(`drift ${size}`, () => driftGraph(size))
      : await this.#linearSession("writer", writer, writerGraph);
    const matrix = writer && { weight: this.#matrix(original.get(weight)!.data, writer) };
    const given = await this.#ours.look([weight]);
    const none = (): DriftSums => ({
      moment: new Float64Array(size * size),
      missing: new Float64Array(size * (writer?.outputs ?? size)),
    });
    const halves: DriftHalves = [none(), none()];
    for (const [i, own] of given.entries()) {
      signal?.throwIfAborted();
      const results = await session.run({
        x: this.#rows(this.#inputs[i]!.get(weight)!, size),
        z: this.#rows(own.get(weight)!, size),
        ...(writer && { ...matrix, gap: this.#rows(this.#gaps[i]!, writer.outputs) }),
      }, session.outputNames);
      addValues(halves[i % 2]!.moment, results.moment!.data as Float32Array);
      addValues(halves[i % 2]!.missing, results.missing!.data as Float32Array);
    }
    return halves;
  }

  async leave(): Promise<void> {
    await this.#ours.advance();
    this.#layer++;
  }

  async fit(asks: readonly FitAsk[]): Promise<DriftFit[]> {
    const fits: DriftFit[] = [];
    for (const ask of asks) fits.push(await fitDrift(ask, this.multiply));
    return fits;
  }

  readonly multiply: Multiply = async (a, b, { rows, depth, columns }) => {
    const { Tensor } = this.#sessions.runtime;
    const session = await this.#sessions.get("product", productGraph);
    const feeds = {
      a: new Tensor("float32", unshared(a), [rows, depth]),
      b: new Tensor("float32", unshared(b), [depth, columns]),
    };
    return (await session.run(feeds, ["product"])).product!.data as Float32Array;
  };

  async close(): Promise<void> {
    await this.#sessions.close();
  }

  /** Adds to what the stream misses what it misses after one of the layer's writers. */
  async #fillGaps(writer: LinearDescription): Promise<void> {
    const { original, quantized } = this.#options;
    const { weight, inputs, outputs } = writer;
    const session = await this.#linearSession("gap", writer, gapGraph);
    const matrices = {
      weight: this.#matrix(original.get(weight)!.data, writer),
      coded: this.#matrix(quantized.get(weight)!.data, writer),
    };
    const gaps: Float32Array[] = [];
    for (const [i, own] of (await this.#ours.look([weight])).entries()) {
      const { after } = await session.run({
        gap: this.#rows(this.#gaps[i]!, outputs),
        x: this.#rows(this.#inputs[i]!.get(weight)!, inputs),
        z: this.#rows(own.get(weight)!, inputs),
        ...matrices,
      }, ["after"]);
      gaps.push(after!.data as Float32Array);
    }
    this.#gaps = gaps;
  }

  /** The session of a graph that knows a linear map. */
  #linearSession(
    kind: string,
    linear: LinearDescription,
    make: (linear: LinearDescription) => OnnxGraph,
  ): Promise<NativeSession> {
    const { inputs, outputs, layout } = linear;
    return this.#sessions.get(`${kind} ${inputs} ${outputs} ${layout}`, () => make(linear));
  }

  /** Values of tokens, `[tokens, size]`. */
  #rows(values: Float32Array, size: number): NativeTensor {
    const { Tensor } = this.#sessions.runtime;
    return new Tensor("float32", values, [values.length / size, size]);
  }

  /** A linear map's matrix as it is stored. */
  #matrix(values: Float32Array, { inputs, outputs, layout }: LinearDescription): NativeTensor {
    const { Tensor } = this.#sessions.runtime;
    const shape = layout === "outputsByInputs" ? [outputs, inputs] : [inputs, outputs];
    return new Tensor("float32", unshared(values), shape);
  }
}

/** The values in memory that no other thread has: the runtime reads no other. */
function unshared(values: Float32Array): Float32Array {
  return values.buffer instanceof ArrayBuffer ? values : values.slice();
}

/** Inputs of linear maps by the names of their weights, each `[tokens, inputs]`. */
type LinearInputs = ReadonlyMap<string, Float32Array>;

/** A model that is run layer by layer. Weights may be replaced while it stands before a layer. */
class NativeWalk {
  readonly #model: NativeModel;
  readonly #batches: readonly Batch[];
  #states: readonly Float32Array[] = [];
  /** What is known of the layer ahead, of each batch. */
  #known: LinearInputs[];
  #layer = 0;

  constructor(model: NativeModel, batches: readonly Batch[]) {
    this.#model = model;
    this.#batches = batches;
    this.#known = batches.map(() => new Map());
  }

  /** Embeds the text. */
  async begin(): Promise<void> {
    const states: Float32Array[] = [];
    for (const batch of this.#batches) {
      states.push(await this.#model.embed(batch.ids, sequencesOf(batch)));
    }
    this.#states = states;
  }

  /** What goes into the layer ahead, of each batch; nothing before the first. */
  get states(): readonly Float32Array[] {
    return this.#states;
  }

  /** The inputs of linear maps of the layer ahead, for each batch. */
  async look(weights: readonly string[]): Promise<LinearInputs[]> {
    return await this.#run(weights, false);
  }

  /** Looks at the layer ahead, and goes through it. */
  async advance(weights: readonly string[] = []): Promise<LinearInputs[]> {
    const inputs = await this.#run(weights, true);
    this.#layer++;
    return inputs;
  }

  async #run(weights: readonly string[], advances: boolean): Promise<LinearInputs[]> {
    const { layers, parts, description } = this.#model;
    // Where what goes into these is known, nothing before them is computed again.
    const { attention, feedForward } = description.layers[this.#layer]!;
    const spares = new Set([attention.output.weight, feedForward.down.weight]);
    const place = (weight: string) => layers.placeOf(this.#layer, weight);
    const all: LinearInputs[] = [];
    const after: Float32Array[] = [];
    for (const [i, batch] of this.#batches.entries()) {
      const known = this.#known[i]!;
      const results = await layers.inputs(
        this.#layer,
        this.#states[i]!,
        sequencesOf(batch),
        { weights: weights.map(place), known: [...known.keys()].map(place), advances },
        Object.fromEntries(Array.from(known, ([weight, x]) => {
          const rows = batch.ids.length;
          return [layerValues.knownInput(place(weight)), parts.floats(x, rows, x.length / rows)];
        })),
      );
      const values = (name: string) => results[name]!.data as Float32Array;
      const seen = new Map(
        weights.map((weight) => [weight, values(layerValues.linearInput(place(weight)))]),
      );
      all.push(seen);
      if (advances) after.push(values(layerValues.result));
      const kept = Array.from(seen).filter(([weight]) => spares.has(weight));
      this.#known[i] = advances ? new Map() : new Map([...known, ...kept]);
    }
    if (advances) this.#states = after;
    return all;
  }
}

function sequencesOf({ ids, chunks }: Batch): Sequences {
  return { batch: chunks, length: ids.length / chunks };
}
