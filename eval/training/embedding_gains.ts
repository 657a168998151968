import type { TransformerDescription } from "../architectures/description.ts";
import type { PreparedWeights } from "../weights/prepared_weights.ts";
import type { Trainables } from "./trainer.ts";

/** Tokens of chunks of equal length, one after another. */
export interface TokenRows {
  readonly ids: Int32Array;
  /** Tokens of each chunk. */
  readonly length: number;
}

/** An embedding, and which of its rows each token takes, times a factor. */
interface Lookup {
  readonly name: string;
  readonly rowOf: (token: number) => number;
  readonly factor: number;
}

function lookups(
  { tokenEmbedding, embeddingScale = 1, positionEmbedding, positionOffset = 0 }:
    TransformerDescription,
  { ids, length }: TokenRows,
): Lookup[] {
  const tokens = {
    name: tokenEmbedding,
    rowOf: (token: number) => ids[token]!,
    factor: embeddingScale,
  };
  if (positionEmbedding === undefined) return [tokens];
  const rowOf = (token: number) => positionOffset + token % length;
  return [tokens, { name: positionEmbedding, rowOf, factor: 1 }];
}

/** The embedded tokens with their positions, before any norm: `[tokens, hiddenSize]`. */
export function embedWithGains(
  model: TransformerDescription,
  weights: PreparedWeights,
  { gains }: Trainables,
  tokens: TokenRows,
): Float32Array {
  const { hiddenSize } = model;
  const embedded = new Float32Array(tokens.ids.length * hiddenSize);
  for (const { name, rowOf, factor } of lookups(model, tokens)) {
    const { data } = weights.get(name)!;
    const { rows, columns } = gains.get(name)!;
    for (let token = 0; token < tokens.ids.length; token++) {
      const row = rowOf(token);
      const gain = factor * rows[row]!;
      const [from, to] = [row * hiddenSize, token * hiddenSize];
      for (let i = 0; i < hiddenSize; i++) {
        embedded[to + i]! += gain * columns[i]! * data[from + i]!;
      }
    }
  }
  return embedded;
}

/** Adds the gradients by the embeddings' values, given that by the embedded tokens. */
export function addEmbeddingWeightGradients(
  model: TransformerDescription,
  { gains }: Trainables,
  tokens: TokenRows,
  gradient: Float32Array,
  sums: ReadonlyMap<string, Float32Array>,
): void {
  const { hiddenSize } = model;
  for (const { name, rowOf, factor } of lookups(model, tokens)) {
    const { rows, columns } = gains.get(name)!;
    const own = sums.get(name)!;
    for (let token = 0; token < tokens.ids.length; token++) {
      const row = rowOf(token);
      const [from, to] = [token * hiddenSize, row * hiddenSize];
      const gain = factor * rows[row]!;
      for (let i = 0; i < hiddenSize; i++) own[to + i]! += gain * columns[i]! * gradient[from + i]!;
    }
  }
}

/** Adds the gradients by the embeddings' gains, given that by the embedded tokens. */
export function addEmbeddingGradients(
  model: TransformerDescription,
  weights: PreparedWeights,
  { gains }: Trainables,
  tokens: TokenRows,
  gradient: Float32Array,
  sums: Trainables,
): void {
  const { hiddenSize } = model;
  for (const { name, rowOf, factor } of lookups(model, tokens)) {
    const { data } = weights.get(name)!;
    const { rows, columns } = gains.get(name)!;
    const own = sums.gains.get(name)!;
    for (let token = 0; token < tokens.ids.length; token++) {
      const row = rowOf(token);
      const [from, to] = [row * hiddenSize, token * hiddenSize];
      const gain = factor * rows[row]!;
      let sum = 0;
      for (let i = 0; i < hiddenSize; i++) {
        const product = gradient[to + i]! * data[from + i]!;
        sum += product * columns[i]!;
        own.columns[i]! += gain * product;
      }
      own.rows[row]! += factor * sum;
    }
  }
}
