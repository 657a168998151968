import type { TransformerDescription } from "../architectures/description.ts";
import { unknownMember } from "../architectures/members.ts";

/** What the passes know beside what all language models have. */
const known = [
  "positionEmbedding",
  "positionOffset",
  "embeddingScale",
  "embeddingNorm",
  "norm.weightOffset",
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
  "layers.attentionOutputNorm",
  "layers.feedForwardOutputNorm",
  "layers.residualScale",
  "layers.residual: outputNorm",
  "layers.residual: parallel",
  "layers.residual: postNorm",
  "headTransform",
  "logitScale",
  "logitSoftCap",
];

/** Why the passes cannot run a model; undefined if they can. */
export function whyUnsupported(model: TransformerDescription): string | undefined {
  if (model.objective !== "nextToken") return "it predicts no next tokens";
  const unknown = unknownMember(model, known);
  return unknown === undefined ? undefined : `it has ${unknown}`;
}
