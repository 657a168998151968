import {
  type FactoredMetrics,
  factorHessian,
  type HessianFactor,
  type TensorMetrics,
} from "./tensor_metric.ts";

/** How {@linkcode factorMetrics} is watched and stopped. */
export interface FactorOptions {
  /** Called with the share of the matrices that are done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Factors the Hessians one after another, so that what calibration summed up (8 bytes for each pair
 * of inputs) can be let go of before the weights are coded; a factor has 2 bytes for each pair, and
 * matrices with the same inputs share it. Compressing with the result gives the same bytes. Throws
 * {@linkcode InputError} that names the tensor whose Hessian is not finite.
 *
 * ```ts
 * import { factorMetrics, HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const hessian = Float64Array.from({ length: 4096 }, (_, i) => i % 65 === 0 ? 1 + i : 0.5);
 * const metrics = new Map([["w", { inputAxis: 1 as const, hessian }]]);
 * const factored = await factorMetrics(metrics);
 * const compressor = new HierarchicalCompressor({ bits: 8 });
 * const { bytes } = await compressor.compress(weights, { metrics: factored });
 * assert.deepEqual(bytes, (await compressor.compress(weights, { metrics })).bytes);
 * ```
 */
export async function factorMetrics(
  metrics: TensorMetrics,
  { onProgress, signal }: FactorOptions = {},
): Promise<FactoredMetrics> {
  const factored = new Map();
  const known = new Map<string, HessianFactor>();
  for (const [name, metric] of metrics) {
    signal?.throwIfAborted();
    const { inputAxis, fisher, sharedWith = [] } = metric;
    const factor = known.get(name) ?? factorHessian(name, metric.hessian);
    for (const other of sharedWith) known.set(other, factor);
    factored.set(name, { inputAxis, factor, ...(fisher === undefined ? {} : { fisher }) });
    onProgress?.(factored.size / metrics.size);
    // Lets progress be drawn and signals come.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return factored;
}
