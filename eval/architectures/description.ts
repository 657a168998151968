import type { ActivationName } from "./activation_names.ts";

/** A matrix product y = x W + b with the name of its weight in the checkpoint. */
export interface LinearDescription {
  /** Name of the weight matrix. */
  readonly weight: string;
  /** Name of the bias vector, if there is one. */
  readonly bias?: string;
  /** Number of input features. */
  readonly inputs: number;
  /** Number of output features. */
  readonly outputs: number;
  /** Stored as `[inputs, outputs]` (GPT-2's Conv1D) or `[outputs, inputs]` (PyTorch's Linear). */
  readonly layout: "inputsByOutputs" | "outputsByInputs";
}

/** Layer normalization, or root-mean-square normalization (no mean, no bias). */
export interface NormDescription {
  /** Which of the two. */
  readonly kind: "layerNorm" | "rmsNorm";
  /** Name of the scale vector. */
  readonly weight: string;
  /** Name of the shift vector, if there is one. */
  readonly bias?: string;
  /** Length of the normalized axis. */
  readonly size: number;
  /** Added to the variance. */
  readonly epsilon: number;
  /** Added to each value of `weight` before it is used: 1 in Gemma, whose scales are stored less 1. */
  readonly weightOffset?: number;
}

/** Frequency scaling of Llama 3.1: long wavelengths are stretched by `factor`. */
export interface Llama3Scaling {
  /** Which scaling. */
  readonly kind: "llama3";
  /** How much the longest wavelengths are stretched. */
  readonly factor: number;
  /** Wavelengths above `originalContextLength / lowFrequencyFactor` are stretched fully. */
  readonly lowFrequencyFactor: number;
  /** Wavelengths below `originalContextLength / highFrequencyFactor` stay. */
  readonly highFrequencyFactor: number;
  /** Context length of the model before it was extended. */
  readonly originalContextLength: number;
}

/** Frequency scaling that divides every frequency by `factor`. */
export interface LinearScaling {
  /** Which scaling. */
  readonly kind: "linear";
  /** How much every wavelength is stretched. */
  readonly factor: number;
}

/**
 * YaRN (Peng et al., 2023): short wavelengths stay, long ones are stretched by `factor`, those in
 * between partly, by how often they turn within the original context.
 */
export interface YarnScaling {
  /** Which scaling. */
  readonly kind: "yarn";
  /** How much the longest wavelengths are stretched. */
  readonly factor: number;
  /** Wavelengths that turn more often stay. */
  readonly betaFast: number;
  /** Wavelengths that turn less often are stretched fully. */
  readonly betaSlow: number;
  /** Whether the range in between ends at whole pairs of features. */
  readonly truncates: boolean;
  /** Context length of the model before it was extended. */
  readonly originalContextLength: number;
}

/** Dynamic NTK scaling: sequences longer than the original context get a larger base. */
export interface DynamicScaling {
  /** Which scaling. */
  readonly kind: "dynamic";
  /** How much faster than the sequence the base grows. */
  readonly factor: number;
  /** Sequences up to this length are not scaled. */
  readonly originalContextLength: number;
}

/** LongRoPE (Ding et al., 2024): a factor for each wavelength, other ones for long sequences. */
export interface LongRopeScaling {
  /** Which scaling. */
  readonly kind: "longrope";
  /** How much each wavelength is stretched in sequences up to `originalContextLength`. */
  readonly shortFactors: readonly number[];
  /** How much each is stretched in longer sequences. */
  readonly longFactors: readonly number[];
  /** Context length of the model before it was extended. */
  readonly originalContextLength: number;
}

/** How the frequencies of rotary positions are changed for longer contexts. */
export type RotaryScaling =
  | Llama3Scaling
  | LinearScaling
  | YarnScaling
  | DynamicScaling
  | LongRopeScaling;

/** Rotary position embedding (Su et al., 2021), halves convention of Hugging Face. */
export interface RotaryDescription {
  /** How many leading features of a head are rotated; even. */
  readonly dimensions: number;
  /** Base of the geometric progression of wavelengths. */
  readonly theta: number;
  /** How the frequencies are changed for longer contexts, if they are. */
  readonly scaling?: RotaryScaling;
  /** Rotated features are multiplied by it, where it is not 1 (YaRN, LongRoPE). */
  readonly attentionFactor?: number;
}

/** How queries, keys and values are computed from the layer's input. */
export type ProjectionDescription =
  | {
    /** Three products. */
    readonly kind: "separate";
    /** Gives `heads * headSize` features. */
    readonly query: LinearDescription;
    /** Gives `keyValueHeads * headSize` features. */
    readonly key: LinearDescription;
    /** Gives `keyValueHeads * headSize` features. */
    readonly value: LinearDescription;
  }
  | {
    /** One product. */
    readonly kind: "joined";
    /** Gives `(heads + 2 * keyValueHeads) * headSize` features. */
    readonly linear: LinearDescription;
    /**
     * All queries, all keys, all values; or, for each key-value head in turn, the queries that share
     * it (one where there are as many of both), its key and its value.
     */
    readonly order: "byRole" | "byHead";
  };

/** Multi-head attention, with grouped key-value heads where there are fewer of them. */
export interface AttentionDescription {
  /** Number of query heads. */
  readonly heads: number;
  /** Number of key-value heads; divides `heads`. */
  readonly keyValueHeads: number;
  /** Features of one head. */
  readonly headSize: number;
  /** Factor of the query-key products before the softmax. */
  readonly scale: number;
  /** Queries, keys and values. */
  readonly projection: ProjectionDescription;
  /** From the joined heads back to the hidden size. */
  readonly output: LinearDescription;
  /** Normalization of each head's query, if there is one (Qwen3). */
  readonly queryNorm?: NormDescription;
  /** Normalization of each head's key, if there is one (Qwen3). */
  readonly keyNorm?: NormDescription;
  /** Normalization of all queries of a token at once, before heads are split, if any (OLMo 2). */
  readonly allQueriesNorm?: NormDescription;
  /** Normalization of all keys of a token at once, before heads are split, if any (OLMo 2). */
  readonly allKeysNorm?: NormDescription;
  /** Rotation of queries and keys, where positions are encoded so. */
  readonly rotary?: RotaryDescription;
  /** A token attends to at most this many tokens, itself included; absent: to all before it. */
  readonly slidingWindow?: number;
  /** Scaled query-key products x become `softCap * tanh(x / softCap)` before the mask (Gemma 2). */
  readonly softCap?: number;
}

/** Feed-forward block: down(act(up(x))), or down(act(gate(x)) * up(x)) where there is a gate. */
export interface FeedForwardDescription {
  /** Name of the activation function. */
  readonly activation: ActivationName;
  /** From the hidden size to the inner size. */
  readonly up: LinearDescription;
  /** The gated variant's second product. */
  readonly gate?: LinearDescription;
  /** `up` gives twice as many features as `down` takes: the gate's, then its own (Phi-3). */
  readonly joinedGate?: true;
  /** From the inner size back. */
  readonly down: LinearDescription;
}

/** One layer: attention and a feed-forward block. */
export interface LayerDescription {
  /** Before the attention, or after it: see {@linkcode LayerDescription.residual}. */
  readonly attentionNorm: NormDescription;
  /** The attention. */
  readonly attention: AttentionDescription;
  /** Of what the attention gives, before the residual sum, beside the norm before (Gemma 2). */
  readonly attentionOutputNorm?: NormDescription;
  /** Before the feed-forward block, or after it: see {@linkcode LayerDescription.residual}. */
  readonly feedForwardNorm: NormDescription;
  /** The feed-forward block. */
  readonly feedForward: FeedForwardDescription;
  /** Of what the block gives, before the residual sum, beside the norm before (Gemma 2). */
  readonly feedForwardOutputNorm?: NormDescription;
  /** Factor of what attention and block give, before the residual sums; 1 if omitted (Granite). */
  readonly residualScale?: number;
  /**
   * With A and F for attention and feed-forward block, each with its norm N before it unless said:
   * - `sequential`: y = x + A(N x), then y + F(N y);
   * - `parallel`: x + A(N x) + F(N x); both norms may be the same;
   * - `outputNorm`: y = x + N A(x), then y + N F(y) (OLMo 2);
   * - `postNorm`: y = N(x + A(x)), then N(y + F(y)), as the first transformers and BERT.
   */
  readonly residual: "sequential" | "parallel" | "outputNorm" | "postNorm";
}

/** What a head does to hidden states before its last product. */
export interface HeadTransformDescription {
  /** From the hidden size to the hidden size. */
  readonly linear: LinearDescription;
  /** Name of the activation function. */
  readonly activation: ActivationName;
  /** After the activation, if there is one. */
  readonly norm?: NormDescription;
}

/** What a transformer is, without its layers. */
export interface ModelSummary {
  /** `model_type` of the config. */
  readonly modelType: string;
  /**
   * What the logits are about: the next token (each token sees itself and those before it), the
   * masked token at the same place, or the class of the whole text, read off its first token (each
   * token sees all).
   */
  readonly objective: "nextToken" | "maskedToken" | "classification";
  /** Number of token ids. */
  readonly vocabularySize: number;
  /** Width of the residual stream. */
  readonly hiddenSize: number;
  /** Longest sequence that the model was made for. */
  readonly contextLength: number;
  /** Name of the token embedding, `[vocabularySize, hiddenSize]`. */
  readonly tokenEmbedding: string;
  /** Factor of the token embedding, before positions are added; 1 if omitted (Gemma, Granite). */
  readonly embeddingScale?: number;
  /**
   * Name of the learned position embedding, `[positionOffset + contextLength, hiddenSize]`, if there
   * is one.
   */
  readonly positionEmbedding?: string;
  /** Row of the position embedding that belongs to the first token; 0 if omitted (OPT: 2). */
  readonly positionOffset?: number;
}

/**
 * A transformer and its head: everything that the forward pass has to know. Plain data. Members that
 * are not said to be optional are in every description; what runs a description lists the optional
 * ones that it knows and refuses others: see `unknownMember` of `members.ts`.
 */
export interface TransformerDescription extends ModelSummary {
  /** After the sum of the embeddings, if there is one. */
  readonly embeddingNorm?: NormDescription;
  /** The layers in order. */
  readonly layers: readonly LayerDescription[];
  /** After the last layer; absent from post-norm models. */
  readonly finalNorm?: NormDescription;
  /** Before the head, if there is one. */
  readonly headTransform?: HeadTransformDescription;
  /**
   * To the logits: one for each token of the vocabulary or for each class. With tied embeddings its
   * weight is {@linkcode TransformerDescription.tokenEmbedding}.
   */
  readonly head: LinearDescription;
  /** Factor of the logits; 1 if omitted (Granite). */
  readonly logitScale?: number;
  /** Logits x, after their factor, become `logitSoftCap * tanh(x / logitSoftCap)` (Gemma 2). */
  readonly logitSoftCap?: number;
}
