import { expandHalf } from "../../data/half_values.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import { transpose } from "../../data/transpose.ts";
import type { RowColumnFactors } from "./coded_matrix.ts";
import type { Matrix } from "./matrix.ts";

type HeldValues = NonNullable<Matrix["held"]>;

/** A matrix as it is sent to workers. */
export type SentMatrix =
  & Omit<Matrix, "data" | "held">
  & ({ readonly data: Float32Array } | { readonly held: HeldValues });

/** A matrix whose values are made when they are asked for. */
export type HeldMatrix = Extract<SentMatrix, { readonly held: unknown }>;

/** Whether a matrix' values are made when they are asked for. */
export function isHeld(matrix: SentMatrix): matrix is HeldMatrix {
  return "held" in matrix && matrix.held !== undefined;
}

/** The matrix whose values are made when they are asked for, each time anew. */
export function heldMatrix(matrix: Omit<Matrix, "data" | "held">, held: HeldValues): Matrix {
  return {
    ...matrix,
    held,
    get data() {
      return makeValues(matrix, held);
    },
  };
}

/** The matrix with some of its properties replaced; its values are not made for that. */
export function withProperties(
  matrix: Matrix,
  replaced: Partial<Pick<Matrix, "metric" | "rowColumnSteps">>,
): Matrix {
  if (matrix.held === undefined) return { ...matrix, ...replaced };
  return heldMatrix({ ...rest(matrix), ...replaced }, matrix.held);
}

/** The matrix with its values times factors, in double precision; they are not made for that. */
export function multiplied(matrix: Matrix, factors: RowColumnFactors): Matrix {
  const { stored, transposed } = matrix.held?.factors === undefined && matrix.held ||
    { stored: matrix.data, transposed: false };
  return heldMatrix(rest(matrix), { stored, transposed, factors });
}

/** What of a matrix goes to a worker: how its values are made, where that is known. */
export function sendMatrix(matrix: Matrix): SentMatrix {
  return matrix.held === undefined ? matrix : { ...rest(matrix), held: matrix.held };
}

/** All but values. */
function rest(
  { name, rows, columns, metric, rowColumnSteps }: Omit<Matrix, "data" | "held">,
): Omit<Matrix, "data" | "held"> {
  return {
    name,
    rows,
    columns,
    ...(metric && { metric }),
    ...(rowColumnSteps && { rowColumnSteps }),
  };
}

/**
 * The values that something held stands for. Where `given`, what is stored is the caller's to be
 * overwritten or released.
 */
export function makeValues(
  { rows, columns }: Pick<Matrix, "rows" | "columns">,
  { stored, transposed, factors }: HeldValues,
  given: boolean = false,
): Float32Array {
  const values = stored instanceof Float32Array ? stored : expandHalf(stored);
  const isOwn = given || values !== stored;
  const data = transposed ? transpose(values, columns, rows) : values;
  if (data !== values && isOwn) releaseMemory(values);
  if (factors === undefined) return data;
  // What is held as it is stays as it is.
  const products = data === values && !isOwn ? new Float32Array(data.length) : data;
  for (let i = 0, at = 0; i < rows; i++) {
    const factor = factors.rows[i]!;
    for (let j = 0; j < columns; j++, at++) {
      products[at] = data[at]! * factor * factors.columns[j]!;
    }
  }
  return products;
}
