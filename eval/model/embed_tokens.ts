import type { TransformerDescription } from "../architectures/description.ts";
import { copyValues, type PreparedWeights } from "../weights/prepared_weights.ts";

/**
 * Rows of the token embedding, with those of the positions added: `[tokens, hiddenSize]`, of sequences
 * of some length, each of which begins at position `first`.
 */
export function embedTokens(
  model: TransformerDescription,
  weights: PreparedWeights,
  ids: Int32Array,
  length: number,
  first = 0,
): Float32Array {
  const { tokenEmbedding, embeddingScale = 1, hiddenSize } = model;
  const embedding = weights.get(tokenEmbedding)!;
  const rows = new Float32Array(ids.length * hiddenSize);
  ids.forEach((id, token) => {
    const place = embedding.places?.get(id) ?? id;
    const row = rows.subarray(token * hiddenSize, (token + 1) * hiddenSize);
    copyValues(embedding, place * hiddenSize, row);
  });
  if (embeddingScale !== 1) rows.forEach((value, at) => rows[at] = value * embeddingScale);
  addPositions(model, weights, rows, length, first);
  return rows;
}

/** Adds the rows of positions to `[tokens, hiddenSize]`, if the model has some; see {@linkcode embedTokens}. */
export function addPositions(
  model: TransformerDescription,
  weights: PreparedWeights,
  rows: Float32Array,
  length: number,
  first: number,
): void {
  const { positionEmbedding, hiddenSize } = model;
  if (positionEmbedding === undefined) return;
  const positions = weights.get(positionEmbedding)!.data
    .subarray(((model.positionOffset ?? 0) + first) * hiddenSize);
  const period = length * hiddenSize;
  for (let start = 0; start < rows.length; start += period) {
    for (let at = 0; at < period; at++) rows[start + at]! += positions[at]!;
  }
}
