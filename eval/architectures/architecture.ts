import type { ModelConfig } from "./config.ts";
import type { TransformerDescription } from "./description.ts";

/**
 * A family of models. To add one, write a file that reads its config into a
 * {@linkcode TransformerDescription} and list it in `registry.ts`; see
 * `docs/adding-an-architecture.md`.
 */
export interface Architecture {
  /** The value of `model_type` in the configs of this family. */
  readonly modelType: string;
  /** Models of this family by the names that people know, for docs/architectures.md. */
  readonly models: string;
  /** Prefixes that the body's tensor names may carry, the usual one first. */
  readonly prefixes: readonly string[];
  /** Tensors of checkpoints that hold no weights: masks and other buffers, without prefix. */
  readonly buffers: RegExp;
  /** Name of the head's weight where it is not tied to the token embedding. */
  readonly headWeight: string;
  /** The key of the config that says how many layers there are. */
  readonly layerCount: string;
  /** Whether the head is tied where the config does not say (`tie_word_embeddings`). */
  readonly tiedByDefault: boolean;
  /** Reads a config; `prefix` goes before the names of all tensors but the head's. */
  describe(config: ModelConfig, prefix: string): TransformerDescription;
}
