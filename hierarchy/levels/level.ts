import type { WantedParts } from "../matrix/matrix_part.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";
import type { CodingWorkers } from "../workers/coding_workers.ts";
import type { ScratchArrays } from "../matrix/scratch_arrays.ts";
import type { Steps } from "../../workers/steps.ts";

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
  readonly output: Matrices;
}

/** Settings that every level is given. */
export interface EncodeContext {
  /** Seed of everything random: the same matrices and seed give the same bytes. */
  readonly seed: number;
  /** Called with the share of the level's work that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
  /** What codes matrices side by side; the calling thread if omitted. */
  readonly workers?: CodingWorkers;
  /**
   * Arrays to use again: what a level handed on is then overwritten when a level is next given them.
   */
  readonly scratch?: ScratchArrays;
}

/** One step of the hierarchy: codes matrices and leaves an output to the next level. */
export interface Level {
  /** Name of the level in files and reports. */
  readonly kind: string;
  /** Codes `matrices`; deterministic in them and `context.seed`. */
  encode(matrices: Matrices, context: EncodeContext): Promise<LevelResult>;
}

/**
 * The inverse of a level, in steps of some milliseconds. `output` is the next levels' reconstruction of
 * what this level handed on, which may be overwritten, `shapes` the matrices to give back. With `wanted`, a decoder whose codec
 * says so gives these parts of the matrices of these numbers only and leaves the others empty. Uses
 * no arithmetic whose rounding depends on the platform.
 */
export type LevelDecoder = (
  encoded: EncodedLevel,
  output: Matrices,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
) => Steps<Matrices>;

/** A hierarchy of levels, outermost first: each codes what the one before handed on. */
export type Stage = readonly EncodedLevel[];
