import { InputError } from "../data/input_error.ts";
import { elementCount, type StateDict, type WeightSource } from "../data/tensor.ts";
import {
  type CompressorOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./compressor_options.ts";
import { type Container, encodeContainer } from "./container.ts";
import { encodeExactTensors } from "./exact_tensors.ts";
import { type EncodeOptions, encodeStages } from "./encode_stages.ts";
import type { Signal } from "./levels/level.ts";
import { factorMetrics } from "./metric/factor_metrics.ts";
import {
  errorMetric,
  type FactoredMetrics,
  isFactored,
  type TensorMetrics,
} from "./metric/tensor_metric.ts";
import { matrixShape, planTensors } from "./plan_tensors.ts";
import { searchStep } from "./rate_control.ts";
import { type CompressionReport, reportContainer } from "./report.ts";
import type { StoredTensor } from "./tensor_names.ts";
import { transpose } from "./transpose.ts";
import { CodingWorkers } from "./workers/coding_workers.ts";

/** A compressed model in memory. */
export interface CompressedModel {
  /** The whole `.kan.safetensors` file. */
  readonly bytes: Uint8Array;
  /** Where every byte of it goes. */
  readonly report: CompressionReport;
}

/** What is known of a model beside its weights. */
export interface ModelDescription {
  /** The model's config.json; travels in the file, so that the file can be loaded by itself. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Name of the model. */
  readonly source?: string;
}

/** A {@linkcode ModelDescription} and what calibration found out. */
export interface CompressInput extends ModelDescription {
  /** What errors in each matrix cost; matrices without a metric get steps by their size alone. */
  readonly metrics?: TensorMetrics | FactoredMetrics;
}

/** Rate of the presets that have a target, in bits per parameter. */
const DEFAULT_BITS = 4;
/** Models of fewer values are coded before workers have started. */
const FEWEST_SHARED_VALUES = 1 << 20;
/** Step of the latents of a preset without a target, in root mean squares. */
const FINE_STEP = 0.15;

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
   * Throws {@linkcode InputError} where a weight is not finite, where there is nothing to
   * compress, or where the target cannot be reached.
   */
  async compress(
    weights: StateDict | WeightSource,
    { metrics = new Map(), ...description }: CompressInput = {},
  ): Promise<CompressedModel> {
    const options = this.#options;
    const dict = await readAllWeights(weights, options);
    const transposed = new Set(
      [...metrics].flatMap(([name, { inputAxis }]) => inputAxis === 1 ? [name] : []),
    );
    const { stored, aliases } = planTensors(dict, { ...options, transposed });
    checkParameters(stored, options.inputDim);
    const factored = await factoredMetrics(metrics, dict, stored, options);
    const signal = buildSignal(stored, dict, factored);
    const base = {
      tensors: stored,
      aliases,
      exact: encodeExactTensors(stored, dict),
      ...description,
    };
    const threads = values(signal) < FEWEST_SHARED_VALUES ? 1 : options.threads;
    const workers = new CodingWorkers(threads);
    // What workers have seen of shared memory is let go of when they end: before the report decodes.
    const { container, bytes } = await encodeAtRate(base, signal, { ...options, workers })
      .finally(() => workers.close());
    return { bytes, report: reportContainer(container, bytes.length, signal) };
  }
}

function values(signal: Signal): number {
  return signal.reduce((sum, { data }) => sum + data.length, 0);
}

async function readAllWeights(
  weights: StateDict | WeightSource,
  { onProgress, signal }: ResolvedOptions,
): Promise<StateDict> {
  if (!("tensors" in weights)) return weights;
  const dict = new Map();
  for (const { name } of weights.tensors) {
    signal?.throwIfAborted();
    dict.set(name, await weights.read(name));
    onProgress?.("reading weights", dict.size / weights.tensors.length);
  }
  return dict;
}

/** Factors metrics that are not factored yet, for the rate that is asked for. */
async function factoredMetrics(
  metrics: TensorMetrics | FactoredMetrics,
  weights: StateDict,
  stored: readonly StoredTensor[],
  options: ResolvedOptions,
): Promise<FactoredMetrics> {
  if (isFactored(metrics)) return metrics;
  const parameters = stored.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const target = targetBytes(options, parameters);
  return await factorMetrics(metrics, {
    weights,
    ...(target !== undefined && { bits: 8 * target / parameters }),
    ...(options.signal && { signal: options.signal }),
  });
}

/** The matrices that the levels code, with their metrics. */
function buildSignal(
  stored: readonly StoredTensor[],
  weights: StateDict,
  metrics: FactoredMetrics,
): Signal {
  return stored.filter((tensor) => tensor.stored === undefined).map((tensor) => {
    const shape = matrixShape(tensor);
    const { name, rows, columns } = shape;
    const values = weights.get(name)!.data;
    const data = tensor.transposed ? transpose(values, columns, rows) : values;
    const metric = metrics.get(name);
    return {
      ...shape,
      data,
      ...(metric === undefined ? {} : { metric: errorMetric(name, metric, rows, columns) }),
    };
  });
}

function checkParameters(stored: readonly StoredTensor[], inputDim: number | undefined): void {
  const parameters = stored.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  if (parameters === 0) throw new InputError("the model has no weights; check the state dict");
  if (inputDim !== undefined && inputDim !== parameters) {
    throw new InputError(
      `inputDim: is ${inputDim}, but the model has ${parameters} parameters; ` +
        `pass model.numParameters()`,
    );
  }
}

/** Encodes at the step that meets the target rate, or at a fine step where there is no target. */
async function encodeAtRate(
  base: Omit<Container, "stages">,
  signal: Signal,
  options: EncodeOptions,
): Promise<{ container: Container; bytes: Uint8Array }> {
  const parameters = base.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const target = targetBytes(options, parameters);
  const encoder = await encodeStages(signal, options);
  let trial = 0;
  const encodeAt = async (step: number) => {
    options.signal?.throwIfAborted();
    const name = `trial ${++trial}`;
    const container = { ...base, stages: await encoder.encodeAt(step, name) };
    const bytes = await encodeContainer(container);
    return { bytes: bytes.length, value: { container, bytes } };
  };
  if (target === undefined || signal.length === 0) return (await encodeAt(FINE_STEP)).value;
  const firstStep = encoder.firstStep(8 * target / parameters);
  const found = await searchStep(encodeAt, target, encoder.values, firstStep);
  if (found.bytes > 1.01 * target) {
    throw new InputError(
      `${Math.round(target)} bytes (${(8 * target / parameters).toFixed(2)} bits per parameter) ` +
        `cannot be reached; the smallest file found has ${found.bytes} bytes ` +
        `(${(8 * found.bytes / parameters).toFixed(2)})`,
    );
  }
  return found.value;
}

/** Bytes that the file is to have, where there is a target. */
function targetBytes(
  { bits, bytes, preset }: ResolvedOptions,
  parameters: number,
): number | undefined {
  if (bytes !== undefined) return bytes;
  if (bits === undefined && preset === "seed") return undefined;
  return (bits ?? DEFAULT_BITS) * parameters / 8;
}
