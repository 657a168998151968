/**
 * How much tokens count in second moments, from the energy e = ‖∇‖² of the gradient by the outputs of
 * the layers that share an input: e^p in Σ e^p x xᵀ, and as much in Σ e^p ∇ ∇ᵀ / e. An error E costs
 * Σ (∇ᵀ E x)² over tokens. The Kronecker product of both moments stands for it, and multiplies what a
 * token counts in one by what it counts in the other: with its whole energy in both, the few tokens
 * that most attention goes to would be nearly all that is seen. A half in each would be right if
 * energies were known; they are those of one drawn label, and a little less does better.
 */

/** The power of a token's energy that it counts by. */
export const COUNT_POWER = 1 / 3;

/** Sums over tokens. */
export interface TokenSums {
  /** Σ e. */
  readonly energy: number;
  /** Σ e^p. */
  readonly count: number;
}

/** The sum of energies, and that of what tokens count by them. */
export function sumTokens(energies: Float32Array): TokenSums {
  let energy = 0, count = 0;
  for (const value of energies) {
    energy += value;
    count += value ** COUNT_POWER;
  }
  return { energy, count };
}

/** The sum of the squares of each row of `[tokens, columns]`. */
export function rowEnergies(values: Float32Array, columns: number): Float32Array {
  return Float32Array.from({ length: values.length / columns }, (_, row) => {
    let sum = 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) sum += values[at]! * values[at]!;
    return sum;
  });
}

/** What rows are multiplied by for each power of their energy, so that their squares count as they shall. */
export const rowPowers = { inputs: COUNT_POWER / 2, gradients: (COUNT_POWER - 1) / 2 } as const;

/** Rows of `[tokens, columns]`, each times a power of its energy; rows without any become 0. */
export function weighRows(
  values: Float32Array,
  energies: Float32Array,
  power: number,
): Float32Array {
  const columns = values.length / energies.length;
  const weighed = new Float32Array(values.length);
  for (let row = 0, at = 0; row < energies.length; row++) {
    const factor = energies[row]! > 0 ? energies[row]! ** power : 0;
    for (const end = at + columns; at < end; at++) weighed[at] = values[at]! * factor;
  }
  return weighed;
}
