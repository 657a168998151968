import { fewestBits, putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import type { MatrixShape } from "../matrix/matrix.ts";
import type { EncodedLevel } from "./level.ts";
import { damaged, positiveParameter, requireRoom, storedStream } from "./stored_level.ts";

/** Name of the stream of a field level's gains, which is there if it has any. */
export const GAINS = "gains";

/**
 * Gains of a matrix in units of the parameter `gainStep`: what rows and columns are multiplied by beside
 * their steps is 1 + gainStep · n.
 */
export interface RoundedGains {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
}

/** Gains are kept within this many units of 1. */
const LIMIT = (1 << 15) - 1;

/** A gain in units of `step`. */
export function roundGain(gain: number, step: number): number {
  return Math.round(Math.min(Math.max((gain - 1) / step, -LIMIT), LIMIT));
}

/** The factor that a rounded gain stands for; the same bits on every platform. */
export function gainOf(rounded: number, step: number): number {
  return 1 + rounded * step;
}

/** The stream of gains of a field level's matrices; undefined for those that have none. */
export function encodeGains(gains: readonly (RoundedGains | undefined)[]): Uint8Array {
  const side = new RansEncoder();
  putIntegers(side, Int32Array.from(gains, (own) => own === undefined ? 0 : 1));
  for (const own of gains) {
    if (own === undefined) continue;
    putIntegers(side, own.rows);
    putIntegers(side, own.columns);
  }
  return side.finish();
}

/** Reads what {@linkcode encodeGains} wrote; all undefined where the level has no such stream. */
export function decodeGains(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
): (RoundedGains | undefined)[] {
  if (!encoded.streams.has(GAINS)) return shapes.map(() => undefined);
  positiveParameter(encoded, "gainStep");
  const side = new RansDecoder(storedStream(encoded, GAINS));
  const head = fewestBits(1, shapes.length);
  requireRoom(encoded, GAINS, head, [], () => 0);
  const flags = takeIntegers(side, shapes.length);
  requireRoom(
    encoded,
    GAINS,
    head,
    shapes,
    ({ rows, columns }, i) => flags[i] ? fewestBits(2, rows + columns) : 0,
  );
  const gains = shapes.map(({ rows, columns }, i) =>
    flags[i] ? { rows: takeIntegers(side, rows), columns: takeIntegers(side, columns) } : undefined
  );
  if (!side.isAtEnd()) throw damaged(encoded, `stream "${GAINS}" does not decode to its end`);
  return gains;
}

/** Factors with the gains of a matrix, if it has any. */
export function multiplyGains(
  factors: RowColumnFactors,
  gains: RoundedGains | undefined,
  step: number,
): RowColumnFactors {
  if (gains === undefined) return factors;
  return {
    rows: factors.rows.map((factor, i) => factor * gainOf(gains.rows[i]!, step)),
    columns: factors.columns.map((factor, j) => factor * gainOf(gains.columns[j]!, step)),
  };
}
