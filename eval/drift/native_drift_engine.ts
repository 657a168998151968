import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import { layerValues } from "../native/layer_graphs.ts";
import type { Sequences } from "../native/layer_runner.ts";
import { NativeModel } from "../native/native_model.ts";
import { requireNativeRuntime } from "../native/runtime.ts";
import { NativeSessions } from "../native/sessions.ts";
import { buildGraph } from "../onnx/graph_builder.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import type { Batch, DriftEngine, DriftEngineOptions, LinearInput } from "./drift_engine.ts";
import { addValues, type DriftHalves, type DriftSums, type Multiply } from "./drift_sums.ts";
import { type DriftFit, type FitAsk, fitDrift } from "./fit_drift.ts";

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
    const matrices = layerLinears(model.layers[this.#layer]!).map(({ weight }) => weight);
    // Expanded once, not for each batch.
    for (const name of matrices) {
      const { shape, outputsFirst, data } = original.get(name)!;
      this.#original.set(name, { shape, outputsFirst, data });
    }
    this.#inputs = await this.#theirs.advance(inputs.map(({ weight }) => weight));
    for (const name of matrices) this.#original.set(name, original.get(name)!);
  }

  async compare({ weight, size }: LinearInput): Promise<DriftHalves> {
    const { signal } = this.#options;
    const given = await this.#ours.look([weight]);
    const none = () => new Float64Array(size * size);
    const halves: DriftHalves = [
      { moment: none(), drift: none() },
      { moment: none(), drift: none() },
    ];
    for (const [i, own] of given.entries()) {
      signal?.throwIfAborted();
      await this.#add(halves[i % 2]!, this.#inputs[i]!.get(weight)!, own.get(weight)!, size);
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

  /** Adds the products of X and Z, each `[tokens, size]`, to sums. */
  async #add(
    { moment, drift }: DriftSums,
    x: Float32Array,
    z: Float32Array,
    size: number,
  ): Promise<void> {
    const { Tensor } = this.#sessions.runtime;
    const session = await this.#sessions.get(`drift ${size}`, () => driftGraph(size));
    const dims = [z.length / size, size];
    const feeds = { x: new Tensor("float32", x, dims), z: new Tensor("float32", z, dims) };
    const results = await session.run(feeds, session.outputNames);
    addValues(moment, results.moment!.data as Float32Array);
    addValues(drift, results.drift!.data as Float32Array);
  }
}

/** The values in memory that no other thread has: the runtime reads no other. */
function unshared(values: Float32Array): Float32Array {
  return values.buffer instanceof ArrayBuffer ? values : values.slice();
}

function productGraph(): OnnxGraph {
  const graph = buildGraph(new Map());
  graph.applyAs("product", "MatMul", ["a", "b"]);
  const matrix = (name: string, ...shape: string[]): OnnxValue => ({
    ...{ name, type: "float32", shape },
  });
  return {
    inputs: [matrix("a", "rows", "depth"), matrix("b", "depth", "columns")],
    outputs: [matrix("product", "rows", "columns")],
    ...graph.finish(),
  };
}

/** Gives ZᵀZ and Zᵀ(X - Z). */
function driftGraph(size: number): OnnxGraph {
  const graph = buildGraph(new Map());
  // Rows of the transpose lie together, as products want them.
  const turned = graph.apply("Transpose", ["z"], { perm: { integers: [1, 0] } });
  graph.applyAs("moment", "MatMul", [turned, "z"]);
  graph.applyAs("drift", "MatMul", [turned, graph.apply("Sub", ["x", "z"])]);
  const matrix = (name: string, rows: number | string): OnnxValue => ({
    name,
    type: "float32",
    shape: [rows, size],
  });
  const outputs = [matrix("moment", size), matrix("drift", size)];
  return { inputs: [matrix("x", "rows"), matrix("z", "rows")], outputs, ...graph.finish() };
}

/** Inputs of linear maps by the names of their weights, each `[tokens, inputs]`. */
type LinearInputs = ReadonlyMap<string, Float32Array>;

/** A model that is run layer by layer. Weights may be replaced while it stands before a layer. */
class NativeWalk {
  readonly #model: NativeModel;
  readonly #batches: readonly Batch[];
  /** What goes into the layer ahead, of each batch; nothing before the first. */
  #states: Float32Array[] = [];
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
    for (const batch of this.#batches) {
      this.#states.push(await this.#model.embed(batch.ids, sequencesOf(batch)));
    }
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
      if (advances) this.#states[i] = values(layerValues.result);
      const kept = Array.from(seen).filter(([weight]) => spares.has(weight));
      this.#known[i] = advances ? new Map() : new Map([...known, ...kept]);
    }
    return all;
  }
}

function sequencesOf({ ids, chunks }: Batch): Sequences {
  return { batch: chunks, length: ids.length / chunks };
}
