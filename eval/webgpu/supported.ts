import { greatest } from "../../data/extremes.ts";
import type {
  AttentionDescription,
  FeedForwardDescription,
  TransformerDescription,
} from "../architectures/description.ts";
import { unknownMember } from "../architectures/members.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import { dependsOnLength } from "../layers/rotary_frequencies.ts";
import type { Device } from "./device.ts";
import { largestHead } from "./rotation.ts";

/** What the programs know beside what all language models have. */
const known = [
  "positionEmbedding",
  "positionOffset",
  "embeddingScale",
  "norm.weightOffset",
  "layers.attention.projection.kind: joined",
  "layers.attention.projection.linear",
  "layers.attention.projection.order: byRole",
  "layers.attention.projection.order: byHead",
  "layers.attention.projection: grouped byRole",
  "layers.attention.queryNorm",
  "layers.attention.keyNorm",
  "layers.attention.rotary",
  "layers.attention.slidingWindow",
  "layers.feedForward.gate",
  "layers.feedForward.joinedGate",
  "layers.attentionOutputNorm",
  "layers.feedForwardOutputNorm",
  "layers.residualScale",
  "layers.residual: outputNorm",
  "layers.attention.allQueriesNorm",
  "layers.attention.allKeysNorm",
  "layers.attention.softCap",
  "logitScale",
  "logitSoftCap",
  "layers.residual: parallel",
];

/**
 * Why these programs cannot run a model, on this device and with sequences of up to `length` tokens;
 * undefined if they can.
 */
export function whyUnsupported(
  model: TransformerDescription,
  { largestBinding }: Pick<Device, "largestBinding">,
  length: number,
): string | undefined {
  const { objective, embeddingNorm, headTransform, head, finalNorm, layers } = model;
  if (objective !== "nextToken" || finalNorm === undefined) return "it predicts no next tokens";
  if (embeddingNorm !== undefined || headTransform !== undefined || head.bias !== undefined) {
    return "its head or embedding has a layer of its own";
  }
  if (layers.some(({ residual }) => residual === "postNorm")) return "it normalizes afterwards";
  const bothWays = layers.some(({ residual, residualScale, attentionOutputNorm }) =>
    residualScale !== undefined && (residual !== "sequential" || attentionOutputNorm !== undefined)
  );
  if (bothWays || (hasBranches(model) && layers.some(({ residual }) => residual === "parallel"))) {
    return "it changes in two ways what its blocks give";
  }
  if (layers.some(({ attention }) => attention.headSize > largestHead)) {
    return "its heads are large";
  }
  // The tables of the positions are made once, for the longest sequence.
  if (layers.some(({ attention: { rotary } }) => rotary && dependsOnLength(rotary))) {
    return "its positions depend on the length of the text";
  }
  const unknown = unknownMember(model, known);
  if (unknown !== undefined) return `it has ${unknown}`;
  const linears = layers.flatMap(layerLinears);
  const sizes = [...linears, { inputs: head.inputs, outputs: 4 }]
    .flatMap(({ inputs, outputs }) => [inputs, outputs]);
  if ([...sizes, ...layers.map(({ attention }) => attention.headSize)].some((n) => n % 4 !== 0)) {
    return "its sizes are not multiples of 4";
  }
  const largest = greatest([
    ...layers.flatMap(({ attention, feedForward }) => [
      (attention.heads + 2 * attention.keyValueHeads) * attention.headSize * model.hiddenSize,
      innerWidth(feedForward) * model.hiddenSize,
    ]),
    length * Math.ceil(length / 4) * 4,
    length * widestState(model),
    // A block of the head's logits.
    model.vocabularySize + 4,
  ]);
  return 4 * largest > largestBinding ? "a matrix of it is too large for the device" : undefined;
}

/** Whether what blocks give is normalized or scaled before it is added. */
export function hasBranches({ layers }: TransformerDescription): boolean {
  return layers.some(({ residual, attentionOutputNorm, feedForwardOutputNorm, residualScale }) =>
    residual === "outputNorm" || attentionOutputNorm !== undefined ||
    feedForwardOutputNorm !== undefined ||
    residualScale !== undefined
  );
}

/** Whether what the projection gives is normalized. */
export function normsProjected(
  { queryNorm, keyNorm, allQueriesNorm, allKeysNorm }: AttentionDescription,
): boolean {
  return [queryNorm, keyNorm, allQueriesNorm, allKeysNorm].some((norm) => norm !== undefined);
}

/** Whether a block multiplies by a gate, joined with what it gates or not. */
export function isGated({ gate, joinedGate }: FeedForwardDescription): boolean {
  return gate !== undefined || joinedGate === true;
}

/** Numbers that a token has in what up, or gate and up, give. */
export function innerWidth(block: FeedForwardDescription): number {
  return (isGated(block) ? 2 : 1) * block.down.inputs;
}

/** Most numbers that a token has at once in one buffer. */
export function widestState({ hiddenSize, layers }: TransformerDescription): number {
  return greatest([
    hiddenSize,
    ...layers.flatMap(({ attention: { heads, keyValueHeads, headSize }, feedForward }) => [
      (heads + 2 * keyValueHeads) * headSize,
      innerWidth(feedForward),
    ]),
  ]);
}
