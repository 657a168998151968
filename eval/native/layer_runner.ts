import type { OnnxGraph } from "../../data/onnx/onnx_model.ts";
import type {
  LayerDescription,
  RotaryDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import { rotaryFrequencies } from "../layers/rotary_frequencies.ts";
import {
  backwardGraph,
  forwardGraph,
  inputsGraph,
  type InputsRun,
  type LayerMoments,
  layerValues,
} from "./layer_graphs.ts";
import { nameByPlace, type NamedWeights } from "./named_weights.ts";
import type { NativeTensor } from "./runtime.ts";
import type { NativeFeeds, NativeResults, PartRunner } from "./part_runner.ts";

/** Sequences of equal length, one after another. */
export interface Sequences {
  /** Number of sequences. */
  readonly batch: number;
  /** Tokens of each. */
  readonly length: number;
}

/** What is done with a layer. */
export interface LayerRun {
  readonly kind: string;
  /** Makes the graph of a layer whose tensors are called by their places. */
  readonly make: (layer: LayerDescription) => OnnxGraph;
  /** Gradient by the states after the layer, where the graph is given it. */
  readonly gradient?: Float32Array;
  /** What the graph is given beside the states and what layers share. */
  readonly feeds?: NativeFeeds;
}

/** Large enough that its exponential vanishes, small enough that sums of it stay finite. */
const masked = -1e9;

/** Runs the layers of a model, each as one graph. */
export class LayerRunner {
  readonly #parts: PartRunner;
  readonly #model: TransformerDescription;
  readonly #layers: readonly NamedWeights<LayerDescription>[];
  readonly #tables = new Map<string, NativeTensor>();

  /** Copies nothing. */
  constructor(parts: PartRunner, model: TransformerDescription) {
    this.#parts = parts;
    this.#model = model;
    this.#layers = model.layers.map(nameByPlace);
  }

  /** The states after a layer as `result`, and the moments of inputs. */
  async forward(
    index: number,
    states: Float32Array,
    sequences: Sequences,
    moments?: Pick<LayerMoments, "groups">,
  ): Promise<NativeResults> {
    return await this.run(index, states, sequences, {
      kind: `forward ${JSON.stringify(moments)}`,
      make: (layer) => forwardGraph(layer, this.#isCausal, moments),
    });
  }

  /** What goes into linear layers, which are named by their places; `feeds` are what is known of it. */
  async inputs(
    index: number,
    states: Float32Array,
    sequences: Sequences,
    run: InputsRun,
    feeds: NativeFeeds,
  ): Promise<NativeResults> {
    return await this.run(index, states, sequences, {
      kind: `inputs ${JSON.stringify(run)}`,
      make: (layer) => inputsGraph(layer, this.#isCausal, run),
      feeds,
    });
  }

  /** The gradient by the states before a layer as `result`, given that after it; and moments. */
  async backward(
    index: number,
    states: Float32Array,
    gradient: Float32Array,
    sequences: Sequences,
    moments: LayerMoments,
  ): Promise<NativeResults> {
    return await this.run(index, states, sequences, {
      kind: `backward ${JSON.stringify(moments)}`,
      make: (layer) => backwardGraph(layer, this.#isCausal, moments),
      gradient,
    });
  }

  /** Runs a graph of a layer, which `kind` tells from others that a layer may have. */
  async run(
    index: number,
    states: Float32Array,
    sequences: Sequences,
    { kind, make, gradient, feeds }: LayerRun,
  ): Promise<NativeResults> {
    return await this.#parts.run(kind, this.#layers[index]!, make, {
      ...this.#feeds(index, states, sequences),
      ...(gradient !== undefined && { [layerValues.gradient]: this.#matrix(gradient) }),
      ...feeds,
    });
  }

  /** The tensors of a layer: names by places. */
  tensorsOf(index: number): ReadonlyMap<string, string> {
    return this.#layers[index]!.names;
  }

  /** The place of a tensor in a layer. */
  placeOf(index: number, name: string): string {
    const { names } = this.#layers[index]!;
    return [...names.entries()].find(([, own]) => own === name)![0];
  }

  get #isCausal(): boolean {
    return this.#model.objective === "nextToken";
  }

  #matrix(values: Float32Array): NativeTensor {
    const { hiddenSize } = this.#model;
    return this.#parts.floats(values, values.length / hiddenSize, hiddenSize);
  }

  #feeds(
    index: number,
    states: Float32Array,
    { batch, length }: Sequences,
  ): Record<string, NativeTensor> {
    const { rotary, slidingWindow } = this.#layers[index]!.part.attention;
    const feeds: Record<string, NativeTensor> = {
      [layerValues.states]: this.#matrix(states),
      [layerValues.sizes]: this.#parts.integers([batch, length], 2),
    };
    if (this.#isCausal) {
      feeds[layerValues.mask] = this.#table(
        `mask ${slidingWindow} ${length}`,
        length,
        () => causalMask(length, slidingWindow),
      );
    }
    if (rotary !== undefined) {
      for (
        const [name, turn] of [[layerValues.cosine, Math.cos], [
          layerValues.sine,
          Math.sin,
        ]] as const
      ) {
        const key = `${name} ${length} ${JSON.stringify(rotary)}`;
        feeds[name] = this.#table(key, length, () => rotationTable(rotary, length, turn));
      }
    }
    return feeds;
  }

  #table(key: string, length: number, make: () => Float32Array): NativeTensor {
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const values = make();
    const made = this.#parts.floats(values, 1, 1, length, values.length / length);
    this.#tables.set(key, made);
    return made;
  }
}

function causalMask(length: number, slidingWindow = Infinity): Float32Array {
  const values = new Float32Array(length * length).fill(masked);
  for (let row = 0; row < length; row++) {
    const first = Math.max(0, row + 1 - slidingWindow);
    values.fill(0, row * length + first, row * length + row + 1);
  }
  return values;
}

/** Cosines or sines of the angles of positions, `[length, pairs]`. */
function rotationTable(
  rotary: RotaryDescription,
  length: number,
  turn: (angle: number) => number,
): Float32Array {
  const frequencies = rotaryFrequencies(rotary, length);
  const { attentionFactor = 1 } = rotary;
  const pairs = frequencies.length;
  return Float32Array.from(
    { length: length * pairs },
    (_, at) => attentionFactor * turn(Math.floor(at / pairs) * frequencies[at % pairs]!),
  );
}
