import type { OnnxGraph, OnnxValue } from "../../data/onnx/onnx_model.ts";
import { layerValues } from "../native/layer_graphs.ts";
import type { Sequences } from "../native/layer_runner.ts";
import { NativeModel } from "../native/native_model.ts";
import { requireNativeRuntime } from "../native/runtime.ts";
import { NativeSessions } from "../native/sessions.ts";
import { buildGraph } from "../onnx/graph_builder.ts";
import {
  addValues,
  type Batch,
  type DriftEngine,
  type DriftEngineOptions,
  type LayerWalk,
  type LinearInputs,
} from "./drift_engine.ts";

/** Runs on the native runtime; throws `InputError` where there is none. */
export function openNativeDriftEngine(
  { model, batches, threads }: DriftEngineOptions,
): DriftEngine {
  const sessions = new NativeSessions(requireNativeRuntime(), threads);
  const { Tensor } = sessions.runtime;
  return {
    walk: (weights) => new NativeWalk(new NativeModel(sessions, model, weights), batches),
    async add({ moment, drift }, x, z, size) {
      const session = await sessions.get(`drift ${size}`, () => driftGraph(size));
      const dims = [z.length / size, size];
      const feeds = { x: new Tensor("float32", x, dims), z: new Tensor("float32", z, dims) };
      const results = await session.run(feeds, session.outputNames);
      addValues(moment, results.moment!.data as Float32Array);
      addValues(drift, results.drift!.data as Float32Array);
    },
    async multiply(a, b, { rows, depth, columns }) {
      const session = await sessions.get("product", productGraph);
      const feeds = {
        a: new Tensor("float32", unshared(a), [rows, depth]),
        b: new Tensor("float32", unshared(b), [depth, columns]),
      };
      return (await session.run(feeds, ["product"])).product!.data as Float32Array;
    },
    close: () => sessions.close(),
  };
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

class NativeWalk implements LayerWalk {
  readonly #model: NativeModel;
  readonly #batches: readonly Batch[];
  /** What goes into the layer ahead, of each batch; nothing before the first. */
  #states: Float32Array[] = [];
  /** What was seen last of the layer ahead, of each batch: nothing before it is computed again. */
  #known: LinearInputs[];
  #layer = 0;

  constructor(model: NativeModel, batches: readonly Batch[]) {
    this.#model = model;
    this.#batches = batches;
    this.#known = batches.map(() => new Map());
  }

  async look(weights: readonly string[]): Promise<LinearInputs[]> {
    return await this.#run(weights, false);
  }

  async advance(weights: readonly string[] = []): Promise<LinearInputs[]> {
    const inputs = await this.#run(weights, true);
    this.#layer++;
    return inputs;
  }

  async #run(weights: readonly string[], advances: boolean): Promise<LinearInputs[]> {
    if (this.#states.length === 0) {
      for (const batch of this.#batches) {
        this.#states.push(await this.#model.embed(batch.ids, sequencesOf(batch)));
      }
    }
    const { layers, parts } = this.#model;
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
      this.#known[i] = advances ? new Map() : new Map([...known, ...seen]);
    }
    return all;
  }
}

function sequencesOf({ ids, chunks }: Batch): Sequences {
  return { batch: chunks, length: ids.length / chunks };
}
