import type { StateDict } from "../../data/tensor.ts";
import type { TransformerDescription } from "../architectures/description.ts";

/** A part of a model whose share in a divergence can be asked for. */
export interface ModelPart {
  /** What it is called. */
  readonly name: "embedding" | "head" | "embedding and head" | "attention" | "feed-forward";
  /** The names of its matrices. */
  readonly tensors: readonly string[];
}

/** The parts of a model: one for both ends where they share a matrix. */
export function modelParts(model: TransformerDescription): ModelPart[] {
  const { tokenEmbedding, positionEmbedding, headTransform, head, layers } = model;
  const begin = [tokenEmbedding, ...(positionEmbedding === undefined ? [] : [positionEmbedding])];
  const end = [...(headTransform === undefined ? [] : [headTransform.linear.weight]), head.weight];
  const ends: ModelPart[] = head.weight === tokenEmbedding
    ? [{ name: "embedding and head", tensors: [...new Set([...begin, ...end])] }]
    : [{ name: "embedding", tensors: begin }, { name: "head", tensors: end }];
  const attention = layers.flatMap(({ attention: { projection, output } }) => [
    ...(projection.kind === "joined"
      ? [projection.linear]
      : [projection.query, projection.key, projection.value]),
    output,
  ]);
  const feedForward = layers.flatMap(({ feedForward: { up, gate, down } }) =>
    gate === undefined ? [up, down] : [gate, up, down]
  );
  const names = (linears: typeof attention) => [...new Set(linears.map(({ weight }) => weight))];
  return [
    ...ends,
    { name: "attention", tensors: names(attention) },
    { name: "feed-forward", tensors: names(feedForward) },
  ];
}

/** Compressed weights with a part as it was. */
export function withOriginal(
  compressed: StateDict,
  original: StateDict,
  { tensors }: Pick<ModelPart, "tensors">,
): StateDict {
  const mixed = new Map(compressed);
  for (const name of tensors) {
    const tensor = original.get(name);
    if (tensor !== undefined) mixed.set(name, tensor);
  }
  return mixed;
}
