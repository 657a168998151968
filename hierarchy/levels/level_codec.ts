import type { EncodedLevel, LevelDecoder } from "./level.ts";
import type { MatrixShape } from "../matrix/matrix.ts";

/** Everything that is needed to read a kind of level from a file. */
export interface LevelCodec {
  /** Name of the level in files. */
  readonly kind: string;
  /** Restores the signal that the level coded. */
  readonly decode: LevelDecoder;
  /** Whether single matrices can be decoded without the others. */
  readonly decodesApart?: true;
  /** What the level hands on, given the matrices that it codes; empty for a last level. */
  handsOnShapes(encoded: EncodedLevel, shapes: readonly MatrixShape[]): readonly MatrixShape[];
  /**
   * Bits that each of the level's matrices takes of its streams. A level without it shares its
   * bytes out by the number of weights.
   */
  matrixBits?(encoded: EncodedLevel, shapes: readonly MatrixShape[]): Float64Array;
}
