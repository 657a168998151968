import type { LayerDescription } from "../architectures/description.ts";
import { attend, type CacheNames, type SharedValues } from "./attention.ts";
import { feedForward, normalize } from "./blocks.ts";
import type { GraphBuilder } from "./graph_builder.ts";

/** One layer: attention and feed-forward block with their norms and residual sums. */
export function applyLayer(
  graph: GraphBuilder,
  layer: LayerDescription,
  x: string,
  shared: SharedValues,
  cache?: CacheNames,
): string {
  const { attentionNorm, feedForwardNorm } = layer;
  const add = (a: string, b: string) => graph.apply("Add", [a, b]);
  if (layer.residual === "postNorm") {
    const attended = add(x, attend(graph, layer.attention, x, shared, cache));
    const inner = normalize(graph, attentionNorm, attended);
    const sum = add(inner, feedForward(graph, layer.feedForward, inner));
    return normalize(graph, feedForwardNorm, sum);
  }
  const normed = normalize(graph, attentionNorm, x);
  const attended = add(x, attend(graph, layer.attention, normed, shared, cache));
  const second = layer.residual === "sequential" ? attended : x;
  const inner = normalize(graph, feedForwardNorm, second);
  return add(attended, feedForward(graph, layer.feedForward, inner));
}
