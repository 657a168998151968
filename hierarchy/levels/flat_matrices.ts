import { firstWhere } from "../matrix/first_where.ts";
import { assertFinite } from "../../data/finite.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";
import { logScale, scaleOf } from "./log_scale.ts";

/**
 * Matrices seen as one long vector in which each is divided by its root mean square. It is
 * a view: nothing is copied but the blocks that are read.
 */
export interface FlatMatrices {
  /** Number of values of all matrices. */
  readonly length: number;
  /** Root mean square of each matrix in eighths of an octave ({@linkcode scaleOf}). */
  readonly scaleCodes: Int32Array;
  /** Copies the values from `start` on into `target`; zeros after the end. */
  read(start: number, target: Float32Array): void;
}

/** Flattens `matrices`; throws {@linkcode InputError} if a value is not finite. */
export function flattenMatrices(matrices: Matrices): FlatMatrices {
  const scaleCodes = Int32Array.from(matrices, ({ name, data }) => {
    let squares = 0;
    for (let i = 0; i < data.length; i++) squares += data[i]! * data[i]!;
    if (!Number.isFinite(squares)) assertFinite(name, data);
    return logScale(data.length === 0 ? 0 : Math.sqrt(squares / data.length));
  });
  const gains = Float64Array.from(scaleCodes, (code) => {
    const scale = scaleOf(code);
    return scale === 0 ? 0 : 1 / scale;
  });
  const starts = matrixStarts(matrices);
  const length = starts[matrices.length]!;
  return {
    length,
    scaleCodes,
    read(start, target) {
      let filled = 0;
      let index = findMatrix(starts, start);
      while (filled < target.length && index < matrices.length) {
        const { data } = matrices[index]!;
        const gain = gains[index]!;
        const from = start + filled - starts[index]!;
        const count = Math.min(target.length - filled, data.length - from);
        for (let i = 0; i < count; i++) target[filled + i] = data[from + i]! * gain;
        filled += count;
        index++;
      }
      target.fill(0, filled);
    },
  };
}

/** The other direction: fills matrices from their flat vector, block by block. */
export interface FlatMatricesWriter {
  /** The matrices; filled as blocks are written. */
  readonly matrices: Matrices;
  /** Writes values from `start` on, times their matrix's scale; what passes the end is padding. */
  write(start: number, values: Float32Array): void;
}

/** Prepares matrices of `shapes`, all zeros, whose scales are `scaleCodes`. */
export function createFlatMatricesWriter(
  scaleCodes: Int32Array,
  shapes: readonly MatrixShape[],
): FlatMatricesWriter {
  const scales = Float64Array.from(scaleCodes, scaleOf);
  const starts = matrixStarts(shapes);
  const matrices = shapes.map(({ name, rows, columns }) => {
    return { name, rows, columns, data: new Float32Array(rows * columns) };
  });
  return {
    matrices: matrices,
    write(start, values) {
      let used = 0;
      let index = findMatrix(starts, start);
      while (used < values.length && index < matrices.length) {
        const { data } = matrices[index]!;
        const scale = scales[index]!;
        const from = start + used - starts[index]!;
        const count = Math.min(values.length - used, data.length - from);
        for (let i = 0; i < count; i++) data[from + i] = values[used + i]! * scale;
        used += count;
        index++;
      }
    },
  };
}

/** Number of values of all matrices. */
export function signalLength(shapes: readonly MatrixShape[]): number {
  return matrixStarts(shapes)[shapes.length]!;
}

function matrixStarts(shapes: readonly MatrixShape[]): Float64Array {
  const starts = new Float64Array(shapes.length + 1);
  shapes.forEach(({ rows, columns }, i) => starts[i + 1] = starts[i]! + rows * columns);
  return starts;
}

/** Index of the matrix that holds the value at `position`. */
function findMatrix(starts: Float64Array, position: number): number {
  return firstWhere(starts.length - 1, (index) => starts[index + 1]! > position);
}
