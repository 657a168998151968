import { releaseMemory } from "../../data/release_memory.ts";
import { kernelOrReference } from "../kernels/kernel_or_reference.ts";
import type { ClassCosts } from "../entropy/class_costs.ts";
import type { MagnitudeCounts } from "../entropy/fit_symbol_model.ts";
import { encodeSegment } from "../entropy/index_code.ts";
import type { IndexMatrix, Indices, IndicesPlace } from "../entropy/index_matrix.ts";
import { type Piece, pieceLength } from "../scan/pieces.ts";
import { indexStatistics } from "../entropy/index_statistics.ts";
import { refineScales } from "../entropy/refine_scales.ts";
import { fitScalesOfBlocks, type RowColumnScales } from "../entropy/row_column_scales.ts";
import type { SymbolTables } from "../entropy/symbol_table.ts";
import { createIndexStatisticsKernel } from "../entropy/index_statistics_kernel.ts";
import { isHeld, makeValues, type SentMatrix } from "../matrix/held_matrix.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { BLOCK_VALUES, matrixBlocks } from "../matrix/matrix_blocks.ts";
import { type MatrixRateTerm, quantizeMatrix } from "../quantize/quantize_matrix.ts";
import { createTrellis } from "../scan/trellis.ts";
import { sharedInt8Array } from "../../workers/shared_array.ts";

/**
 * To be raised with any change of what a task gives for what it is given: results that are kept are
 * taken in place of running it.
 */
export const CODING_VERSION = 1;

/** A matrix to be quantized. */
export interface QuantizeTask {
  /** States of the trellis. */
  readonly states: number;
  /** The matrix, in steps. */
  readonly matrix: SentMatrix;
  /** Where the indices are written if they fit, or a file; into a new array if omitted. */
  readonly indices?: Indices | IndicesPlace;
  /** What bits cost, nothing if omitted; without scales, by those of the matrix' values. */
  readonly rate?: Omit<MatrixRateTerm, "scales"> & { readonly scales?: RowColumnScales };
}

/** Indices, and what the entropy model is fit to. */
export interface CountedMatrix extends IndexMatrix {
  /** Histogram of their magnitudes. */
  readonly counts: MagnitudeCounts;
}

/** A matrix whose scales are to be refined. */
export interface RefineTask {
  /** States of the trellis. */
  readonly states: number;
  /** The indices. */
  readonly matrix: IndexMatrix;
  /** What they cost in each class. */
  readonly costs: ClassCosts;
}

/** Pieces of matrices that make one code stream. */
export interface EncodeTask {
  /** States of the trellis. */
  readonly states: number;
  /** Symbol tables by quantizer and class. */
  readonly tables: SymbolTables;
  /** The pieces, of the matrices by their number in `matrices`. */
  readonly segment: readonly Piece[];
  /** The matrices that the pieces are of. */
  readonly matrices: readonly IndexMatrix[];
}

/** What each kind of task is given. */
export interface TaskArguments {
  /** Quantizes a matrix. */
  readonly quantize: QuantizeTask;
  /** Refines a matrix' scales. */
  readonly refine: RefineTask;
  /** Codes a segment. */
  readonly encode: EncodeTask;
}

/** What each kind of task gives. */
export interface TaskResults {
  /** The indices with first scales, or those of the rate term. */
  readonly quantize: CountedMatrix;
  /** The indices with refined scales. */
  readonly refine: CountedMatrix;
  /** The code stream. */
  readonly encode: Uint8Array;
}

/** Name of a kind of task. */
export type TaskKind = keyof TaskArguments;

const fastestStatistics = kernelOrReference(createIndexStatisticsKernel, indexStatistics);

/** The tasks: pure functions, so that it does not matter which worker runs them. */
export const codingTasks: {
  readonly [Kind in TaskKind]: (task: TaskArguments[Kind]) => TaskResults[Kind];
} = {
  quantize({ states, matrix: sent, rate, indices: given }) {
    const { rows, columns } = sent;
    const matrix = madeIfSmall(sent);
    const trellis = createTrellis(states);
    const scales = rate?.scales ?? fitScalesOfBlocks(() => matrixBlocks(matrix), rows, columns);
    const room = given ?? sharedInt8Array(rows * columns);
    const indices = quantizeMatrix(trellis, matrix, rate && { ...rate, scales }, room);
    if (isMadeOf(sent, matrix)) releaseMemory(matrix.data);
    const quantized = { rows, columns, indices, scales };
    return { ...quantized, counts: fastestStatistics().countMagnitudes(trellis, quantized) };
  },
  refine({ states, matrix, costs }) {
    const trellis = createTrellis(states);
    const { rows, columns, indices } = matrix;
    const statistics = fastestStatistics();
    const scales = refineScales(trellis, matrix, costs, statistics);
    const refined = { rows, columns, indices, scales };
    return { ...refined, counts: statistics.countMagnitudes(trellis, refined) };
  },
  encode({ states, tables, segment, matrices }) {
    return encodeSegment(createTrellis(states), segment, matrices, tables);
  },
};

/** A matrix with its values made where that takes little memory: it is read several times. */
function madeIfSmall(matrix: SentMatrix): SentMatrix {
  if (!isHeld(matrix) || matrix.rows * matrix.columns > BLOCK_VALUES) return matrix;
  const { held, ...rest } = matrix;
  return { ...rest, data: makeValues(matrix, held) };
}

/** Whether a matrix' values were made, and are not what was sent. */
function isMadeOf(
  sent: SentMatrix,
  matrix: SentMatrix,
): matrix is SentMatrix & Pick<Matrix, "data"> {
  if (!isHeld(sent) || isHeld(matrix)) return false;
  const { stored } = sent.held;
  return !(stored instanceof Float32Array) || stored.buffer !== matrix.data.buffer;
}

/** A task with its kind, as workers are given it. */
export type CodingJob = {
  readonly [Kind in TaskKind]: { readonly kind: Kind; readonly task: TaskArguments[Kind] };
}[TaskKind];

/** Runs a task of any kind. */
export function runTask<Kind extends TaskKind>(
  { kind, task }: { readonly kind: Kind; readonly task: TaskArguments[Kind] },
): TaskResults[Kind] {
  return codingTasks[kind](task);
}

/** Number of values that a task works on. */
export const taskSizes: {
  readonly [Kind in TaskKind]: (task: TaskArguments[Kind]) => number;
} = {
  quantize: ({ matrix: { rows, columns } }) => rows * columns,
  refine: ({ matrix }) => matrix.indices.length,
  encode: ({ segment, matrices }) =>
    segment.reduce((sum, piece) => sum + pieceLength(matrices[piece.matrix]!, piece), 0),
};
