import type { StateDict } from "../../data/tensor.ts";
import { type Damping, planDamping } from "./damping.ts";
import { TOKENS_PER_SAMPLE } from "./shrinkage.ts";
import {
  type FactoredMetric,
  type FactoredMetrics,
  factorMoment,
  type MomentFactor,
  type TensorMetrics,
} from "./tensor_metric.ts";

/** Keeps values elsewhere than in memory, and gives what reads them again. */
export type KeepValues = (values: Float32Array) => () => Float32Array;

/** What {@linkcode factorMetrics} is told beside the metrics. */
export interface FactorOptions {
  /**
   * The weights that are to be compressed: how much moments are damped depends on their size.
   * Ignored if omitted.
   */
  readonly weights?: StateDict;
  /** Bits per parameter that they are to be compressed to; 4 if omitted. */
  readonly bits?: number;
  /**
   * Tokens that tell as much of correlations as an independent draw, 2 if omitted: the fewer draws,
   * the less is made of what inputs have in common. 0 takes moments as they are.
   */
  readonly tokensPerSample?: number;
  /**
   * Whether metrics that are factored are taken out of the map that they are in, so that both forms
   * of all of them need not be in memory at once.
   */
  readonly takes?: boolean;
  /**
   * Keeps the values of a factor elsewhere than in memory, and gives what reads them again, as often
   * as it is called.
   */
  readonly keep?: (values: Float32Array) => () => Float32Array;
  /** Called with the share of the matrices that are done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Damping of a matrix of which nothing is known. */
const DEFAULT_DAMPING: Damping = { inputs: 0.01, outputs: 0.03 };

/**
 * Factors second moments one after another, so that what calibration summed up (8 bytes for each pair
 * of inputs) can be released before the weights are coded; a factor has 2 bytes for each pair, and
 * matrices with the same inputs share that of the inputs. Compressing with the result gives the same
 * bytes. Throws {@linkcode InputError} that names the tensor whose moments are not finite.
 *
 * ```ts
 * import { factorMetrics, HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const hessian = Float64Array.from({ length: 4096 }, (_, i) => i % 65 === 0 ? 1 + i : 0.5);
 * const metrics = new Map([["w", { inputAxis: 1 as const, hessian }]]);
 * const factored = await factorMetrics(metrics, { weights, bits: 8 });
 * const compressor = new HierarchicalCompressor({ bits: 8 });
 * const { bytes } = await compressor.compress(weights, { metrics: factored });
 * assert.deepEqual(bytes, (await compressor.compress(weights, { metrics })).bytes);
 * ```
 */
export async function factorMetrics(
  metrics: TensorMetrics,
  {
    weights = new Map(),
    bits = 4,
    tokensPerSample = TOKENS_PER_SAMPLE,
    takes = false,
    keep,
    onProgress,
    signal,
  }: FactorOptions = {},
): Promise<FactoredMetrics> {
  const factored = new Map<string, FactoredMetric>();
  const known = new Map<string, MomentFactor>();
  const dampings = planDamping(weights, metrics, bits);
  const count = metrics.size;
  for (const [name, metric] of metrics) {
    signal?.throwIfAborted();
    const { inputAxis, fisher, outputMoments, sharedWith = [], tokens } = metric;
    const damping = dampings.get(name) ?? DEFAULT_DAMPING;
    const factor = known.get(name) ?? keptFactor(
      factorMoment(name, metric.hessian, {
        damping: damping.inputs,
        ...(tokens !== undefined && tokensPerSample > 0 && { samples: tokens / tokensPerSample }),
      }),
      keep,
    );
    for (const other of sharedWith) known.set(other, factor);
    const outputFactors = outputMoments?.map(({ start, moment }) =>
      keptFactor({ start, ...factorMoment(name, moment, { damping: damping.outputs }) }, keep)
    );
    factored.set(name, {
      inputAxis,
      factor,
      ...(fisher && { fisher }),
      ...(outputFactors && { outputFactors }),
    });
    if (takes) (metrics as Map<string, unknown>).delete(name);
    onProgress?.(factored.size / count);
    // Lets progress be drawn and signals come.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return factored;
}

/** A factor whose feedback is kept elsewhere, if that is wanted. */
function keptFactor<Factor extends MomentFactor>(
  factor: Factor,
  keep: KeepValues | undefined,
): Factor {
  if (keep === undefined) return factor;
  const { feedback, ...rest } = factor;
  const read = keep(feedback);
  return {
    ...rest,
    get feedback() {
      return read();
    },
  } as Factor;
}
