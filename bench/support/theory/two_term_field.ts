/**
 * Scales as a sum of two products, rows[0] · columns[0] + rows[1] · columns[1]: the Kolmogorov-Arnold
 * superposition exp(r + c) with a second term beside the first.
 */
export interface TwoTermField {
  /** Two factors of each row. */
  readonly rows: readonly [Float64Array, Float64Array];
  /** Two factors of each column. */
  readonly columns: readonly [Float64Array, Float64Array];
}

/** What keeps factors positive. */
const LEAST = 1e-9;

/**
 * Maximum likelihood of Laplacian values with these scales, by the multiplicative updates of
 * non-negative factorization under the Itakura-Saito divergence (Févotte, Bertin and Durrieu, Neural
 * Computation 21, 2009). Starts at half of `start` in each term, the second one tilted.
 */
export function fitTwoTerms(
  magnitudes: Float32Array,
  start: { readonly rows: Float64Array; readonly columns: Float64Array },
  rounds = 40,
): TwoTermField {
  const rows = start.rows.length, columns = start.columns.length;
  const tilt = (i: number) => 1 + 0.5 * Math.sin(12.9898 * (i + 1));
  const a = [start.rows.slice(), start.rows.map((value, i) => value * tilt(i))] as const;
  const b = [
    start.columns.map((value) => value / 2),
    start.columns.map((value, j) => value * tilt(7 * j) / 2),
  ] as const;
  for (let round = 0; round < rounds; round++) {
    for (const target of ["rows", "columns"] as const) {
      const size = target === "rows" ? rows : columns;
      const up = [new Float64Array(size), new Float64Array(size)] as const;
      const down = [new Float64Array(size), new Float64Array(size)] as const;
      for (let i = 0, at = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++, at++) {
          const inverse = 1 / (a[0][i]! * b[0][j]! + a[1][i]! * b[1][j]!);
          const excess = magnitudes[at]! * inverse * inverse;
          const line = target === "rows" ? i : j;
          for (let q = 0; q < 2; q++) {
            const other = target === "rows" ? b[q]![j]! : a[q]![i]!;
            up[q]![line] = up[q]![line]! + other * excess;
            down[q]![line] = down[q]![line]! + other * inverse;
          }
        }
      }
      for (let q = 0; q < 2; q++) {
        const factor = target === "rows" ? a[q]! : b[q]!;
        for (let line = 0; line < size; line++) {
          factor[line] = Math.max(
            LEAST,
            factor[line]! * Math.sqrt(up[q]![line]! / down[q]![line]!),
          );
        }
      }
    }
  }
  return { rows: a, columns: b };
}
