import type { CompressInput, DivergenceTarget } from "./compress_input.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import {
  type CompressorOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./compressor_options.ts";
import { chooseStates } from "./choose_states.ts";
import { InputError } from "../data/input_error.ts";
import { openContainer } from "./file/container.ts";
import { sourceOf } from "./decompress.ts";
import { encodeStages } from "./encode_stages.ts";
import { encodeAtTarget } from "./encode_at_target.ts";
import type { Signal } from "./matrix/matrix.ts";
import { prepareModel } from "./prepare_model.ts";
import { type CompressionReport, reportContainer } from "./report.ts";
import { CodingWorkers } from "./workers/coding_workers.ts";

/** A compressed model in memory. */
export interface CompressedModel {
  /** The whole `.kan.safetensors` file. */
  readonly bytes: Uint8Array;
  /** Where every byte of it goes. */
  readonly report: CompressionReport;
}

/** Models of fewer values are coded before workers have started. */
const FEWEST_SHARED_VALUES = 1 << 20;

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

  /** Throws {@linkcode InputError} where an option is out of its range. */
  constructor(options: CompressorOptions = {}) {
    this.#options = resolveOptions(options);
  }

  /**
   * Compresses weights. Deterministic: the same weights, options and seed give the same bytes.
   *
   * A target in size is met from below: the file has at most so many bytes, and at least 99.8 % of
   * them. Models of some thousand weights may end lower, because whole bytes of their streams are
   * a larger share of them.
   *
   * Throws {@linkcode InputError} where a weight is not finite, where there is nothing to
   * compress, or where the target cannot be reached; it then says what can.
   */
  async compress(
    weights: StateDict | WeightSource,
    { metrics = new Map(), divergence, ...description }: CompressInput = {},
  ): Promise<CompressedModel> {
    const { bits, bytes: targetBytes } = this.#options;
    checkDivergence(divergence, bits ?? targetBytes);
    const model = await prepareModel(weights, metrics, description, this.#options);
    const { signal } = model;
    const values = countValues(signal);
    const states = chooseStates(this.#options, values);
    const threads = values < FEWEST_SHARED_VALUES ? 1 : this.#options.threads;
    const workers = new CodingWorkers(threads);
    try {
      const options = { ...this.#options, states, workers };
      const encoder = await encodeStages(signal, options);
      const bytes = await encodeAtTarget(model, encoder, options, divergence);
      // What workers have seen of shared memory is let go of when they end: before the report decodes.
      workers.close();
      const container = await openContainer(sourceOf(bytes));
      const report = await reportContainer(container, bytes.length, {
        original: signal,
        signal: this.#options.signal,
      });
      return { bytes, report };
    } finally {
      workers.close();
    }
  }
}

function countValues(signal: Signal): number {
  return signal.reduce((sum, { data }) => sum + data.length, 0);
}

function checkDivergence(target: DivergenceTarget | undefined, size: number | undefined): void {
  if (target === undefined) return;
  if (size !== undefined) {
    throw new InputError("divergence: is a target beside bits or bytes; give one target");
  }
  if (!(target.most > 0 && target.most < Infinity)) {
    throw new InputError(`divergence: ${target.most} is not a positive number of nats`);
  }
}
