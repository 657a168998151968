import type { OnnxGraph } from "../../data/onnx/onnx_model.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import { nameByPlace, type NamedWeights } from "./named_weights.ts";
import type { NativeTensor } from "./runtime.ts";
import type { NativeSessions } from "./sessions.ts";

/** What a graph gave, by the names of its outputs. */
export type NativeResults = Readonly<Record<string, NativeTensor>>;

/** Values by the names of a graph's inputs. */
export type NativeFeeds = Readonly<Record<string, NativeTensor>>;

/** Runs parts of a model, each as one graph that is given the part's weights. */
export class PartRunner {
  readonly sessions: NativeSessions;
  readonly #weights: PreparedWeights;
  readonly #copies = new Map<string, Float32Array>();

  /** Copies nothing. */
  constructor(sessions: NativeSessions, weights: PreparedWeights) {
    this.sessions = sessions;
    this.#weights = weights;
  }

  /** Runs the graph of a part; `kind` tells apart what is done with parts of equal shapes. */
  async run<Part extends object>(
    kind: string,
    { part, names }: NamedWeights<Part>,
    make: (part: Part) => OnnxGraph,
    feeds: NativeFeeds,
  ): Promise<NativeResults> {
    const key = `${kind} ${JSON.stringify(part)}`;
    const session = await this.sessions.get(key, () => make(part));
    const all: Record<string, NativeTensor> = { ...feeds };
    for (const [place, name] of names) {
      const { data, shape } = this.#weights.get(name)!;
      all[place] = this.weights(place, data, ...shape);
    }
    return await session.run(all, session.outputNames);
  }

  /** As {@linkcode run} for a part of rows of `states`; gives its `result`. */
  async mapRows<Part extends object>(
    kind: string,
    part: Part,
    make: (part: Part) => OnnxGraph,
    rows: Readonly<Record<string, Float32Array>>,
    width: number,
  ): Promise<Float32Array> {
    const feeds = Object.fromEntries(
      Object.entries(rows).map(([name, x]) => [name, this.floats(x, x.length / width, width)]),
    );
    const { result } = await this.run(kind, nameByPlace(part), make, feeds);
    return result!.data as Float32Array;
  }

  /** A tensor of values, which are not copied. */
  floats(values: Float32Array, ...shape: readonly number[]): NativeTensor {
    return new this.sessions.runtime.Tensor("float32", values, shape);
  }

  /**
   * A tensor of weights. The runtime does not read memory that threads share: what is there is copied,
   * into memory that the next weights at this place of a graph take.
   */
  weights(place: string, values: Float32Array, ...shape: readonly number[]): NativeTensor {
    if (values.buffer instanceof ArrayBuffer) return this.floats(values, ...shape);
    const kept = this.#copies.get(place);
    const copy = kept?.length === values.length ? kept : new Float32Array(values.length);
    this.#copies.set(place, copy);
    copy.set(values);
    return this.floats(copy, ...shape);
  }

  /** A tensor of integers. */
  integers(values: ArrayLike<number>, ...shape: readonly number[]): NativeTensor {
    const data = BigInt64Array.from(Array.from(values, BigInt));
    return new this.sessions.runtime.Tensor("int64", data, shape);
  }

  /** Values of a weight. */
  values(name: string): Float32Array {
    return this.#weights.get(name)!.data;
  }
}
