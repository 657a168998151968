import { transpose } from "../transpose.ts";
import type { ValueChange } from "./architecture.ts";

/** Values with the sizes of their axes, outermost first. */
export interface Values {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** Numbers of heads, by which rows are ordered. */
export interface HeadCounts {
  /** Of queries. */
  readonly heads: number;
  /** Of keys and values. */
  readonly keyValueHeads: number;
}

/** Hugging Face's values as GGUF stores them. */
export function toGgufValues(
  values: Values,
  change: ValueChange | undefined,
  counts: HeadCounts,
): Values {
  const { shape, data } = values;
  if (change === undefined) return values;
  if (change === "transposed") return transposed(values);
  if (change === "plusOne") return { shape, data: data.map((value) => value + 1) };
  const order = rowOrder(change, shape[0]!, counts);
  return { shape, data: takeRows(data, order) };
}

/** GGUF's values as Hugging Face stores them: undoes {@linkcode toGgufValues}. */
export function toHuggingFaceValues(
  values: Values,
  change: ValueChange | undefined,
  counts: HeadCounts,
): Values {
  const { shape, data } = values;
  if (change === undefined) return values;
  if (change === "transposed") return transposed(values);
  if (change === "plusOne") return { shape, data: data.map((value) => value - 1) };
  const order = rowOrder(change, shape[0]!, counts);
  const inverse = new Int32Array(order.length);
  order.forEach((from, to) => inverse[from] = to);
  return { shape, data: takeRows(data, inverse) };
}

/**
 * For each of GGUF's rows the number of Hugging Face's: of `rows` rows of queries, keys or both with
 * values. `rows` must be a multiple of what the heads take.
 */
function rowOrder(
  change: "queryPairs" | "keyPairs" | "rolesFirst",
  rows: number,
  { heads, keyValueHeads }: HeadCounts,
): Int32Array {
  if (change === "rolesFirst") {
    const size = rows / (heads + 2 * keyValueHeads);
    const group = heads / keyValueHeads;
    return Int32Array.from({ length: rows }, (_, row) => {
      const place = Math.floor(row / size);
      const [key, member] = place < heads
        ? [Math.floor(place / group), place % group]
        : [(place - heads) % keyValueHeads, group + Math.floor((place - heads) / keyValueHeads)];
      return ((group + 2) * key + member) * size + row % size;
    });
  }
  const size = rows / (change === "queryPairs" ? heads : keyValueHeads);
  return Int32Array.from({ length: rows }, (_, row) => {
    const within = row % size;
    return row - within + (within % 2) * size / 2 + Math.floor(within / 2);
  });
}

function takeRows(data: Float32Array, order: Int32Array): Float32Array {
  const length = data.length / order.length;
  const taken = new Float32Array(data.length);
  order.forEach((from, to) => {
    taken.set(data.subarray(from * length, (from + 1) * length), to * length);
  });
  return taken;
}

function transposed(values: Values): Values {
  const [rows, columns] = values.shape;
  // A bias has nothing to swap.
  if (rows === undefined || columns === undefined) return values;
  return { shape: [columns, rows], data: transpose(values.data, rows, columns) };
}
