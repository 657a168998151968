import type { TensorCost } from "../plots/bits_per_layer.ts";

/** One compressed model that was measured. */
export interface ResultRow {
  /** The model that was compressed. */
  readonly model: string;
  /** What compressed it, such as `rate`; results of one method are one series. */
  readonly method?: string;
  /** What it is called within its method, such as `gptq-3-g64`; the method's name if omitted. */
  readonly name?: string;
  /** Parameters, tied ones once. */
  readonly parameters: number;
  /** Bytes of the original weight files, where they are known. */
  readonly originalBytes?: number;
  /** Bytes of the whole compressed file. */
  readonly compressedBytes: number;
  /** Perplexity of both, and standard errors where they are known. */
  readonly perplexity: Measured;
  /** Perplexity of the original. */
  readonly originalPerplexity: Measured;
  /** Mean Kullback-Leibler divergence from the original in nats per token. */
  readonly klDivergence?: Measured;
  /** Share of tokens whose likeliest successor is the original's, 0 to 1. */
  readonly sameTop1?: number;
  /** The compressed file. */
  readonly out?: string;
  /** Command lines that made the result. */
  readonly commands?: readonly string[];
  /** What each tensor costs. */
  readonly tensors?: readonly TensorCost[];
  /** What its original writes. */
  readonly originalSample?: string;
  /** What the compressed model writes. */
  readonly sample?: string;
}

/** A measure with its standard error. */
export interface Measured {
  /** The measure. */
  readonly value: number;
  /** Its standard error. */
  readonly standardError?: number;
}
