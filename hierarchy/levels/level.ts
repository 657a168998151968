import type { CodingWorkers } from "../workers/coding_workers.ts";
import type { MatrixPart } from "./matrix_part.ts";
import type { ScratchArrays } from "../workers/scratch_arrays.ts";

/**
 * What errors in a matrix cost. With E the matrix of errors, the loss of the model grows by about
 * half of the sum of the squares of all elements of Uᵀ E V, where U Uᵀ is the second moment of what the
 * rows are multiplied by (the Hessian of GPTQ) and V Vᵀ the second moment of the loss' gradient with
 * respect to the outputs (the Fisher information). Both factors are upper triangular.
 */
export interface ErrorMetric {
  /** The diagonal of U: one positive weight a row. */
  readonly rowWeights: Float64Array;
  /** The diagonal of V: one positive weight a column. */
  readonly columnWeights: Float64Array;
  /**
   * U_ki / U_ii for rows k < i: what row i can make up for of an error in row k. Packed row by row,
   * `rows * (rows - 1) / 2` values.
   */
  readonly feedback: Float32Array;
  /** V within blocks of columns, in order and without gaps; diagonal where absent. */
  readonly columnBlocks?: readonly ColumnBlock[];
  /** What the rows were divided by since, to which `feedback` does not refer; 1 where absent. */
  readonly rowSteps?: Float64Array;
  /** What the columns were divided by since, to which blocks do not refer; 1 where absent. */
  readonly columnSteps?: Float64Array;
}

/** Columns of which each can make up for errors in those before it. */
export interface ColumnBlock {
  /** First column, a multiple of 64. */
  readonly start: number;
  /** Number of columns. */
  readonly size: number;
  /** V_lj / V_jj for columns l < j, packed row by row: `size * (size - 1) / 2` values. */
  readonly feedback: Float32Array;
}

/**
 * The steps that a matrix' values were divided by, in eighths of an octave and up to a constant:
 * that of row i and column j is rows[i] + columns[j]. A level that codes quotients can expect them
 * to be large where steps are small.
 */
export interface LogSteps {
  /** One value a row. */
  readonly rows: Int32Array;
  /** One value a column. */
  readonly columns: Int32Array;
}

/** A matrix that a level codes: row-major float32 values. */
export interface Matrix {
  /** Checkpoint name of the tensor, or a level's own name for what it hands on. */
  readonly name: string;
  /** Number of rows. */
  readonly rows: number;
  /** Number of columns. */
  readonly columns: number;
  /** `rows * columns` values, row-major. */
  readonly data: Float32Array;
  /** What errors in it cost; where it is not known all errors cost the same. */
  readonly metric?: ErrorMetric;
  /** What its values were divided by, where steps differ between rows or columns. */
  readonly logSteps?: LogSteps;
}

/** What a level sees and what it hands on: matrices in a fixed order. */
export type Signal = readonly Matrix[];

/** What is known of a matrix of a {@linkcode Signal} before its values are decoded. */
export type MatrixShape = Omit<Matrix, "data" | "metric">;

/** JSON that a level keeps in the file's header. */
export type LevelParameters = {
  readonly [key: string]: number | string | boolean | readonly number[] | readonly string[];
};

/** One level of a compressed model, as it stands in the file. */
export interface EncodedLevel {
  /** Which decoder reads it, such as `"field"`. */
  readonly kind: string;
  /** Small settings, kept as JSON. */
  readonly parameters: LevelParameters;
  /** Code streams by name; every byte counts. */
  readonly streams: ReadonlyMap<string, Uint8Array>;
}

/** What {@linkcode Level.encode} gives. */
export interface LevelResult {
  /** What goes into the file. */
  readonly encoded: EncodedLevel;
  /** What the next level is to code: a latent or a residual; empty after a last level. */
  readonly handsOn: Signal;
}

/** Settings that every level is given. */
export interface EncodeContext {
  /** Seed of everything random: the same signal and seed give the same bytes. */
  readonly seed: number;
  /** Called with the share of the level's work that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What codes matrices side by side; the calling thread where it is absent. */
  readonly workers?: CodingWorkers;
  /**
   * Arrays to use again: what a level handed on is then overwritten when a level is next given them.
   */
  readonly scratch?: ScratchArrays;
}

/** One step of the hierarchy: codes a signal and hands on what it leaves over. */
export interface Level {
  /** Name of the level in files and reports. */
  readonly kind: string;
  /** Codes `signal`; deterministic in the signal and `context.seed`. */
  encode(signal: Signal, context: EncodeContext): Promise<LevelResult>;
}

/** The parts of matrices that are to be decoded, by the number of the matrix. */
export type WantedParts = ReadonlyMap<number, MatrixPart>;

/**
 * The inverse of a level, as a plain function. `handedOn` is the next levels' reconstruction of
 * what this level handed on, which may be overwritten, `shapes` the matrices to give back. With `wanted`, a decoder whose codec
 * says so gives these parts of the matrices of these numbers only and leaves the others empty. Uses
 * no arithmetic whose rounding depends on the platform.
 */
export type LevelDecoder = (
  encoded: EncodedLevel,
  handedOn: Signal,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
) => Signal;
