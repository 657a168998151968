import type { OnnxGraph } from "../../data/onnx/onnx_model.ts";
import { elementCount } from "../../data/tensor.ts";
import {
  copyValues,
  type PreparedTensor,
  type PreparedWeights,
  valuesBetween,
} from "../weights/prepared_weights.ts";
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
      const tensor = this.#weights.get(name)!;
      all[place] = this.#tensor(place, tensor, 0, ...tensor.shape);
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
    return this.#tensor(place, { data: values }, 0, ...shape);
  }

  /** As {@linkcode weights}, of a weight's values from number `first` on. */
  weightsFrom(
    place: string,
    name: string,
    first: number,
    ...shape: readonly number[]
  ): NativeTensor {
    return this.#tensor(place, this.#weights.get(name)!, first, ...shape);
  }

  #tensor(
    place: string,
    tensor: Pick<PreparedTensor, "data" | "half">,
    first: number,
    ...shape: readonly number[]
  ): NativeTensor {
    const length = elementCount(shape);
    if (tensor.half === undefined && tensor.data.buffer instanceof ArrayBuffer) {
      return this.floats(tensor.data.subarray(first, first + length), ...shape);
    }
    const kept = this.#copies.get(place);
    const copy = kept?.length === length ? kept : new Float32Array(length);
    this.#copies.set(place, copy);
    copyValues(tensor, first, copy);
    return this.floats(copy, ...shape);
  }

  /** A tensor of integers. */
  integers(values: ArrayLike<number>, ...shape: readonly number[]): NativeTensor {
    const data = BigInt64Array.from(Array.from(values, BigInt));
    return new this.sessions.runtime.Tensor("int64", data, shape);
  }

  /** Values of a weight, from the first to before the second number. */
  values(name: string, start: number, end: number): Float32Array {
    return valuesBetween(this.#weights.get(name)!, start, end);
  }
}
