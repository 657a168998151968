import {
  type CompressorOptions,
  decompressWeights,
  HierarchicalCompressor,
} from "../../../hierarchy/mod.ts";
import type { CalibratedModel } from "./calibrated_model.ts";

/** Sizes around each target, as factors. */
const AROUND = [0.985, 1, 1.015];
/** Octaves of divergence that a bit per weight buys, about. */
const OCTAVES_PER_BIT = 2.4;

/** Divergences from the original, in nats, as they would be with exactly the bits asked for. */
export interface EqualBytesDivergence {
  readonly mean: number;
  readonly p999: number;
}

/**
 * What compression to `bits` per weight costs: the geometric mean of three sizes close to each other,
 * because chance moves a single divergence by a few percent.
 */
export async function divergenceAt(
  model: CalibratedModel,
  bits: number,
  options: CompressorOptions,
  metrics = model.metrics,
): Promise<EqualBytesDivergence> {
  const logs = { mean: 0, p999: 0 };
  for (const factor of AROUND) {
    const compressor = new HierarchicalCompressor({ ...options, bits: factor * bits });
    const { bytes, report } = await compressor.compress(model.weights, { metrics });
    const { mean, p999 } = (await model.evaluate(await decompressWeights(bytes))).klDivergence!;
    const excess = OCTAVES_PER_BIT * (report.bitsPerWeight - bits);
    logs.mean += (Math.log2(mean) + excess) / AROUND.length;
    logs.p999 += (Math.log2(p999) + excess) / AROUND.length;
  }
  return { mean: 2 ** logs.mean, p999: 2 ** logs.p999 };
}
