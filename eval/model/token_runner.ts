import type { TransformerDescription } from "../architectures/description.ts";
import type { ModelConfig } from "../architectures/config.ts";

/**
 * Sequences that a model reads token by token, with the keys and values of what was read. Engines
 * implement it; whoever starts one disposes of it.
 */
export interface TokenRunner {
  /** Tokens of each sequence that were read so far. */
  readonly length: number;
  /**
   * Reads further tokens of `sequences` sequences, equally many of each, one sequence after another,
   * and gives the logits after the last token of each: `[sequences, vocabularySize]`, overwritten by
   * the next call. The number of sequences stays the same until {@linkcode TokenRunner.reset}.
   */
  run(ids: Int32Array, sequences: number): Promise<Float32Array>;
  /** Forgets all tokens. */
  reset(): void;
  /** Frees keys and values, and ends threads. */
  dispose(): void;
}

/** How a {@linkcode TokenRunner} is started. */
export interface RunnerOptions {
  /** Most threads, where the engine has threads; the results do not depend on it. */
  readonly threads?: number;
}

/** A model that continues texts. */
export interface GenerativeModel {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /**
   * What the config says.
   *
   * @internal
   */
  readonly description: TransformerDescription;
  /**
   * Begins to read sequences. Throws {@linkcode InputError} where the model does not fit into memory.
   *
   * @internal
   */
  startRunner(options?: RunnerOptions): Promise<TokenRunner>;
}
