import type { StateDict, WeightSource } from "../data/tensor.ts";
import type { CompressInput } from "./compress_input.ts";
import { type CompressedModel, compressWeights } from "./compress_weights.ts";
import {
  type CompressorOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./compressor_options.ts";

/**
 * Compresses the weights of a model with a hierarchy of Kolmogorov-Arnold levels.
 *
 * The preset `rate` divides weights by a field of steps and codes them by a trellis with a KAN
 * entropy model. `seed` is the founding idea: nested KAN autoencoders over blocks of the flattened
 * weights, whose last latent is coded; it loses most of a model's ability (rate-distortion theory
 * says why). `hybrid` codes what `seed` leaves over with `rate`.
 *
 * ```ts
 * import { decompressWeights, HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const compressor = new HierarchicalCompressor({ bits: 8 });
 * const { bytes, report } = await compressor.compress(weights);
 * assert.equal(report.parameters, 4096);
 * const restored = await decompressWeights(bytes);
 * assert.ok(Math.abs(restored.get("w")!.data[9]! - data[9]!) < 0.05);
 * ```
 */
export class HierarchicalCompressor {
  readonly #options: ResolvedOptions;

  /** Throws {@linkcode InputError} if an option is out of its range. */
  constructor(options: CompressorOptions = {}) {
    this.#options = resolveOptions(options);
  }

  /**
   * Compresses weights. Deterministic: the same weights, options and seed give the same bytes.
   *
   * A target in size is met from below: the file has at most this many bytes, and at least 99.8 % of
   * them. Models of some thousand weights may end lower, because whole bytes of their streams are
   * a larger share of them.
   *
   * A matrix that the levels of `rate` and `hybrid` lose, because they decode to no less an error than
   * zeros would have, is kept as it is.
   *
   * Throws {@linkcode InputError} if a weight is not finite, if there is nothing to
   * compress, or if the target cannot be reached; it then says what can.
   */
  async compress(
    weights: StateDict | WeightSource,
    input: CompressInput = {},
  ): Promise<CompressedModel> {
    return await compressWeights(weights, { ...input, divergence: undefined }, this.#options);
  }
}
