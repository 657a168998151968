import { type FileArray, isFileArray, sequentialReader } from "../../data/file_array.ts";
import type { Size } from "../scan/diagonals.ts";
import type { RowColumnScales } from "./row_column_scales.ts";

/** Indices in as many bits as the largest needs. */
export type Indices = Int8Array | Int16Array | Int32Array;

/** Indices in a file, because there is not memory enough for them. */
export type IndicesInFile = FileArray<"Int8Array" | "Int16Array" | "Int32Array">;

/** Where indices are to be written, if not to memory. */
export interface IndicesPlace {
  /** Path of the file; its bits are added to it. */
  readonly file: string;
}

/** The quantization indices of a matrix, with the first layer of their entropy model. */
export interface IndexMatrix extends Size {
  /** Indices, anti-diagonal by anti-diagonal. */
  readonly indices: Indices | IndicesInFile;
  /** Log-scales of the indices. */
  readonly scales: RowColumnScales;
}

/**
 * What reads indices that follow each other, from a place that grows from call to call; the next call
 * may overwrite them.
 */
export function indexReader(
  indices: Indices | IndicesInFile,
): (position: number, length: number) => Indices {
  if (isFileArray(indices)) return sequentialReader(indices);
  return (position, length) => indices.subarray(position, position + length);
}
