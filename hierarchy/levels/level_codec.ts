import type { EncodedLevel, LevelDecoder } from "./level.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import type { Steps } from "../../workers/steps.ts";

/** Streams of a level of which some matrices need only some. */
export interface DividedStreams {
  /** Whether a stream is one of them; all others are needed always. */
  has(name: string): boolean;
  /** Those that hold something of the wanted matrices, by number; all of them if none are named. */
  neededFor(shapes: readonly MatrixShape[], wanted?: WantedParts): string[];
}

/** Everything that is needed to read a kind of level from a file. */
export interface LevelCodec {
  /** Name of the level in files. */
  readonly kind: string;
  /** Restores the matrices that the level coded. */
  readonly decode: LevelDecoder;
  /** Whether it must be the last level of a stage. */
  readonly isLast?: true;
  /** Whether single matrices can be decoded without the others. */
  readonly decodesApart?: true;
  /**
   * Throws {@linkcode InputError} if the level cannot be that of these matrices: parameters out of
   * range, streams that are missing or too short for what they should hold. Allocates and decodes
   * nothing that a file merely claims.
   */
  check(encoded: EncodedLevel, shapes: readonly MatrixShape[]): void;
  /** The output of the level, given the matrices that it codes; empty for a last level. */
  outputShapes(encoded: EncodedLevel, shapes: readonly MatrixShape[]): readonly MatrixShape[];
  /** Whether what it restores are whole numbers. */
  readonly givesIntegers?: true;
  /** What it multiplies the next level's matrices by, where decoding does nothing else. */
  factors?(encoded: EncodedLevel, shapes: readonly MatrixShape[]): readonly RowColumnFactors[];
  /** Which streams are needed for some of the matrices; if omitted, all are for any. */
  readonly dividedStreams?: DividedStreams;
  /**
   * Bits that each of the level's matrices takes of its streams. A level without it shares its
   * bytes out by the number of weights.
   */
  matrixBits?(encoded: EncodedLevel, shapes: readonly MatrixShape[]): Steps<Float64Array>;
}
