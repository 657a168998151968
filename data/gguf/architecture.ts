/** How a tensor's values stand in GGUF, where that is not as in Hugging Face's files. */
export type ValueChange =
  /** Rows and columns are swapped: GPT-2 stores `[inputs, outputs]`, GGUF `[outputs, inputs]`. */
  | "transposed"
  /** Of each query head, the two features that rotate together are neighbours, not halves apart. */
  | "queryPairs"
  /** The same of each key head. */
  | "keyPairs"
  /** All queries, all keys, all values, where Hugging Face has them key by key. */
  | "rolesFirst"
  /** One more: Gemma's norms are stored as what is added to 1. */
  | "plusOne";

/**
 * A tensor's name in GGUF and in Hugging Face's files, both without `.weight` or `.bias`, the latter
 * without the body's prefix; `{}` stands for the number of the layer.
 */
export type TensorRow = readonly [gguf: string, huggingFace: string, change?: ValueChange];

/**
 * A key of config.json and of the metadata, the latter without the architecture's name before it.
 * Rotary settings, head sizes and the vocabulary have no rows: they are not simply the same number.
 */
export type ConfigRow = readonly [
  config: string,
  metadata: string,
  type: "uint32" | "float32" | "bool",
];

/** An architecture that llama.cpp has too. */
export interface GgufArchitecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  /** `general.architecture`. */
  readonly name: string;
  /** The class of transformers, for `architectures` of config.json. */
  readonly className: string;
  /** What stands before the body's tensor names in Hugging Face's files. */
  readonly prefix: string;
  /** Name of the head's weight in Hugging Face's files, where it has one of its own. */
  readonly head: string;
  /** The body's tensors. */
  readonly tensors: readonly TensorRow[];
  /** Numbers and switches. */
  readonly config: readonly ConfigRow[];
  /**
   * What else config.json must say, given what was read of it so far and the sizes of the tensors by
   * their names in the file; `undefined` takes a key away.
   */
  readonly settings?: (
    config: Readonly<Record<string, unknown>>,
    shapes: ReadonlyMap<string, readonly number[]>,
  ) => Record<string, unknown>;
  /** What llama.cpp can do with it, for the writer. */
  readonly runs: GgufRuns;
}

/** What llama.cpp can do with an architecture, where models of it may ask for something else. */
export interface GgufRuns {
  /** Activation functions of config.json that it takes, all as the same one. */
  readonly activations: readonly string[];
  /** Which factors of rotary frequencies it reads: for all texts, or for short and long ones. */
  readonly frequencyFactors?: "any" | "longrope";
  /**
   * Every so many layers one attends to all tokens, the others to as many as the file says; where
   * there is no such number, all layers attend to all.
   */
  readonly windowPeriod?: number;
  /** Base of the rotary positions of layers with a window, where they have one of their own. */
  readonly windowTheta?: number;
  /** Every so many layers one is not rotated; where there is no such number, all are. */
  readonly rotaryPeriod?: number;
  /** Whether it reads the factors of embedding, scores, blocks and logits; otherwise it has its own. */
  readonly scales?: true;
  /** Its own factor of the scores, where that is not one over the root of the heads' size. */
  readonly scoreScale?: (sizes: ScoreSizes) => number;
  /** Tensors whose bias it has no place for. */
  readonly withoutBias?: readonly string[];
  /** Tensors whose bias it does not do without. */
  readonly withBias?: readonly string[];
  /** Whether it wants a head of its own, also where that is the token embedding once more. */
  readonly ownHead?: true;
}

/** What {@linkcode GgufRuns.scoreScale} depends on. */
export interface ScoreSizes {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly headSize: number;
}
