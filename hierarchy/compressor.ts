import type { CompressInput, DivergenceTarget, ModelDescription } from "./compress_input.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import {
  type CompressorOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./compressor_options.ts";
import { chooseStates } from "./choose_states.ts";
import { InputError } from "../data/input_error.ts";
import { quote } from "../data/quote.ts";
import { type Container, openContainer } from "./file/container.ts";
import { sourceOf } from "./decompress.ts";
import { encodeStages } from "./encode_stages.ts";
import { encodeAtTarget } from "./encode_at_target.ts";
import type { Matrices } from "./matrix/matrix.ts";
import { isLost } from "./metric/is_lost.ts";
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

/**
 * Models of fewer values are coded before workers have started; those of more never on the calling
 * thread, so that a signal ends the work at once.
 */
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
   * Throws {@linkcode InputError} if a weight is not finite, where there is nothing to
   * compress, or where the target cannot be reached; it then says what can.
   */
  async compress(
    weights: StateDict | WeightSource,
    { metrics = new Map(), divergence, ...description }: CompressInput = {},
  ): Promise<CompressedModel> {
    const { bits, bytes: targetBytes } = this.#options;
    checkDivergence(divergence, bits ?? targetBytes);
    const input = { metrics, divergence, description };
    const kept = new Set<string>();
    for (;;) {
      const { lost, ...compressed } = await this.#compressOnce(weights, input, kept);
      if (lost.length === 0) return compressed;
      for (const name of lost) kept.add(name);
    }
  }

  /** Compresses weights; `lost` names the matrices that the levels could not code. */
  async #compressOnce(
    weights: StateDict | WeightSource,
    { metrics, divergence, description }: {
      readonly metrics: NonNullable<CompressInput["metrics"]>;
      readonly divergence: DivergenceTarget | undefined;
      readonly description: ModelDescription;
    },
    kept: ReadonlySet<string>,
  ): Promise<CompressedModel & { readonly lost: readonly string[] }> {
    const model = await prepareModel(weights, metrics, description, this.#options, kept);
    const { matrices } = model;
    if (matrices.length === 0 && kept.size > 0) {
      throw new InputError(
        `tensor ${
          quote([...kept][0]!)
        }: the levels lose it and every other matrix; check that its ` +
          "values, and those of its calibration, are of a size that float32 can hold",
      );
    }
    const values = countValues(matrices);
    const states = chooseStates(this.#options, values);
    const isLarge = values >= FEWEST_SHARED_VALUES;
    const workers = new CodingWorkers(isLarge ? this.#options.threads : 1, isLarge);
    try {
      const options = { ...this.#options, states, workers };
      const encoder = await encodeStages(matrices, options);
      const bytes = await encodeAtTarget(model, encoder, options, divergence);
      // What workers have seen of shared memory is released when they end: before the report
      // decodes.
      workers.close();
      const container = await openContainer(sourceOf(bytes));
      const lost: string[] = [];
      const step = options.uniform ? Infinity : stepOf(container);
      const report = await reportContainer(container, bytes.length, {
        original: matrices,
        onError(matrix, error) {
          if (isLost(matrices[matrix]!, error, step)) lost.push(matrices[matrix]!.name);
        },
        signal: this.#options.signal,
      });
      // Autoencoders alone lose what their latents cannot hold: that is known of the preset.
      return { bytes, report, lost: options.preset === "seed" ? [] : lost };
    } finally {
      workers.close();
    }
  }
}

/** The step of the level that spends the bits. */
function stepOf({ stages }: Container): number {
  const field = stages.at(-1)?.findLast(({ kind }) => kind === "field");
  return Number(field?.parameters.step ?? Infinity);
}

function countValues(matrices: Matrices): number {
  return matrices.reduce((sum, { data }) => sum + data.length, 0);
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
