import type { LayerDescription, NormDescription } from "../architectures/description.ts";
import { attend, type CacheNames, type SharedValues } from "./attention.ts";
import { feedForward, normalize, scale } from "./blocks.ts";
import type { GraphBuilder } from "./graph_builder.ts";

/** What {@linkcode applyLayer} and norms know beside what all have: see `unknownMember`. */
export const layerMembers: readonly string[] = [
  "layers.attentionOutputNorm",
  "layers.feedForwardOutputNorm",
  "layers.residualScale",
  "layers.residual: parallel",
  "layers.residual: outputNorm",
  "layers.residual: postNorm",
  "layers.attention.projection.kind: joined",
  "layers.attention.projection.linear",
  "layers.attention.projection.order: byRole",
  "layers.attention.projection.order: byHead",
  "layers.attention.projection: grouped byRole",
  "layers.attention.projection: grouped byHead",
  "layers.attention.queryNorm",
  "layers.attention.keyNorm",
  "layers.attention.allQueriesNorm",
  "layers.attention.allKeysNorm",
  "layers.attention.rotary",
  "layers.attention.slidingWindow",
  "layers.attention.softCap",
  "layers.feedForward.gate",
  "layers.feedForward.joinedGate",
  "norm.weightOffset",
];

/** One layer: attention and feed-forward block with their norms and residual sums. */
export function applyLayer(
  graph: GraphBuilder,
  layer: LayerDescription,
  x: string,
  shared: SharedValues,
  cache?: CacheNames,
): string {
  const { attentionNorm, attentionOutputNorm, feedForwardNorm, feedForwardOutputNorm } = layer;
  const norm = (which: NormDescription | undefined, x: string) =>
    which === undefined ? x : normalize(graph, which, x);
  const add = (sum: string, part: string, which?: NormDescription) =>
    graph.apply("Add", [sum, scale(graph, norm(which, part), layer.residualScale)]);
  if (layer.residual === "postNorm") {
    const attended = add(x, attend(graph, layer.attention, x, shared, cache));
    const inner = norm(attentionNorm, attended);
    return norm(feedForwardNorm, add(inner, feedForward(graph, layer.feedForward, inner)));
  }
  const after = layer.residual === "outputNorm";
  const normed = norm(after ? undefined : attentionNorm, x);
  const attention = attend(graph, layer.attention, normed, shared, cache);
  const attended = add(x, attention, after ? attentionNorm : attentionOutputNorm);
  const second = layer.residual === "parallel" ? x : attended;
  const inner = norm(after ? undefined : feedForwardNorm, second);
  const block = feedForward(graph, layer.feedForward, inner);
  return add(attended, block, after ? feedForwardNorm : feedForwardOutputNorm);
}
