import { type Floats, zerosLike } from "./edge_batch.ts";

/** Values [inputs, size, outputs] times the factors of their edges [inputs, outputs], if there are any. */
export function timesFactors<A extends Floats>(values: A, factors: Floats, outputs: number): A {
  if (factors.length === 0) return values;
  const result = zerosLike(values, values.length), size = values.length / factors.length;
  for (let edges = 0, at = 0; edges < factors.length; edges += outputs) {
    for (let j = 0; j < size; j++) {
      for (let o = 0; o < outputs; o++, at++) result[at] = values[at]! * factors[edges + o]!;
    }
  }
  return result;
}

/**
 * The gradients with respect to factors [inputs, outputs] from those with respect to the products of
 * {@link timesFactors}: sums over the functions of each edge.
 */
export function factorGradients<A extends Floats>(
  productGradients: A,
  values: A,
  outputs: number,
  edges: number,
): A {
  if (edges === 0) return zerosLike(values, 0);
  const result = zerosLike(values, edges), size = values.length / edges;
  for (let first = 0, at = 0; first < edges; first += outputs) {
    for (let j = 0; j < size; j++) {
      for (let o = 0; o < outputs; o++, at++) {
        result[first + o]! += productGradients[at]! * values[at]!;
      }
    }
  }
  return result;
}
