import type { LayerDescription, LinearDescription } from "../architectures/description.ts";

/**
 * The maps of a layer whose products, times its `residualScale`, are added to the residual stream as
 * they are: with these a layer can make up for what the stream has lost before them. None where norms
 * come between.
 */
export function residualWriters(layer: LayerDescription): LinearDescription[] {
  const { residual, attention, attentionOutputNorm, feedForward, feedForwardOutputNorm } = layer;
  const isPlain = residual === "sequential" || residual === "parallel";
  if (!isPlain || attentionOutputNorm !== undefined) return [];
  return [attention.output, ...(feedForwardOutputNorm === undefined ? [feedForward.down] : [])];
}

/** What the first writer of a layer should write besides, for ours to be the states that theirs are. */
export function residualGap(
  theirs: Float32Array,
  ours: Float32Array,
  { residualScale = 1 }: LayerDescription,
): Float32Array {
  return theirs.map((value, at) => (value - ours[at]!) / residualScale);
}
