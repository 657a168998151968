import {
  LARGEST_LOG_SCALE,
  PROBABILITY_BITS,
  PROBABILITY_SCALE,
  STATE_COUNTS,
} from "../format/constants.ts";
import { quoteValue } from "../../data/quote.ts";
import { type DecodedRun, decodeSegment } from "../entropy/index_code.ts";
import { type Piece, pieceLength, planSegments } from "../scan/pieces.ts";
import { fewestBits, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder } from "../entropy/rans.ts";
import type { RowColumnScales } from "../entropy/row_column_scales.ts";
import { coefficientCount, type SymbolModel, symbolTables } from "../entropy/symbol_model.ts";
import { createRunDecoder } from "../entropy/run_decoder.ts";
import { symbolBits, type SymbolTables } from "../entropy/symbol_table.ts";
import { createRunDecoderKernel } from "../entropy/run_decoder_kernel.ts";
import { createTrellis, quantizersOf, type Trellis } from "../scan/trellis.ts";
import type { EncodedLevel } from "./level.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";
import type { LevelCodec } from "./level_codec.ts";
import { createPartReader, hasDiagonals } from "../scan/part_reader.ts";
import { rememberByLevel } from "./remember_by_level.ts";
import { bytesOfStreams } from "./stream_lengths.ts";
import { damaged, described, requireRoom, requireStreams, storedStream } from "./stored_level.ts";
import { finish, type Steps } from "../../workers/steps.ts";

/** The fewest bits of an index: its table has an escape beside it. */
const FEWEST_INDEX_BITS = PROBABILITY_BITS - Math.log2(PROBABILITY_SCALE - 1);

/** Decodes what `createTrellisLevel` encoded: the quantized matrices, in steps. */
export function decodeTrellis(
  encoded: EncodedLevel,
  output: Matrices,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
): Matrices {
  return finish(decodeSteps(encoded, output, shapes, wanted));
}

function* decodeSteps(
  encoded: EncodedLevel,
  _output: Matrices,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
): Steps<Matrices> {
  const partOf = (matrix: number) => wanted === undefined ? {} : wanted.get(matrix);
  const isWanted = (piece: Piece) => {
    const part = partOf(piece.matrix);
    return part !== undefined && hasDiagonals(part, shapes[piece.matrix]!, piece);
  };
  const readers = shapes.map((shape, i) => {
    const part = partOf(i);
    return part && createPartReader(shape, part);
  });
  yield* decodeRuns(
    encoded,
    shapes,
    ({ piece, offset, levels }) => readers[piece.matrix]?.put(piece, offset, levels),
    isWanted,
  );
  return shapes.map((shape, i) => readers[i]?.matrix ?? { ...shape, data: new Float32Array() });
}

/** Decoded indices that follow each other, and what is needed to make sense of them. */
export interface IndexRun extends DecodedRun {
  /** The state machine. */
  readonly trellis: Trellis;
  /** Symbol tables by quantizer and class. */
  readonly tables: SymbolTables;
  /** Log-scales of the run's matrix. */
  readonly scales: RowColumnScales;
}

/** Decodes the indices themselves, in the order of the code: what an analysis of it looks at. */
export function decodeIndices(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
  visit: (run: IndexRun) => void,
): void {
  finish(decodeRuns(encoded, shapes, visit));
}

function* decodeRuns(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
  visit: (run: IndexRun) => void,
  isWanted: (piece: Piece) => boolean = () => true,
): Steps<void> {
  const { trellis, tables, scales, decoder, coded, segments } = readSide(encoded, shapes);
  for (const [i, segment] of segments.entries()) {
    if (!segment.some(isWanted)) continue;
    // Decoders share a kernel, and take turns between segments only.
    yield;
    const stream = storedStream(encoded, codesName(i));
    const complete = decodeSegment(
      decoder,
      stream,
      segment,
      coded,
      (run) => visit({ ...run, trellis, tables, scales: scales[run.piece.matrix]! }),
    );
    if (!complete) {
      const first = described(shapes[segment[0]!.matrix]!);
      throw damaged(
        encoded,
        `stream "${codesName(i)}", from ${first} on, does not decode to its end`,
      );
    }
  }
}

/** What names of segments' streams begin with. */
const CODES = "codes.";

/** Name of the stream of a segment. */
export function codesName(segment: number): string {
  return `${CODES}${segment}`;
}

/** What decoding needs beside the codes of the indices. */
const readSide = rememberByLevel((encoded, shapes) => {
  const trellis = trellisOf(encoded);
  const { model, scales } = decodeFields(encoded, shapes, quantizersOf(trellis));
  const tables = symbolTables(model);
  const room = shapes.reduce((most, { rows, columns }) => Math.max(most, rows + columns), 0);
  const decoder = createRunDecoderKernel(trellis, tables, room) ??
    createRunDecoder(trellis, tables);
  const coded = shapes.map(({ rows, columns }, i) => ({ rows, columns, scales: scales[i]! }));
  return { trellis, tables, scales, decoder, coded, segments: planSegments(shapes) };
});

function trellisOf(encoded: EncodedLevel): Trellis {
  const { parameters } = encoded;
  const states = STATE_COUNTS.find((count) => count === parameters.states);
  if (states === undefined) {
    throw damaged(encoded, `it has ${quoteValue(parameters.states)} states, not ${STATE_COUNTS}`);
  }
  return createTrellis(states);
}

/** Ideal code length of each matrix's indices, plus an even share of what the matrices share. */
function* matrixBits(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
): Steps<Float64Array> {
  const bits = new Float64Array(shapes.length);
  yield* decodeRuns(encoded, shapes, ({ trellis, tables, piece, classes, indices, state }) => {
    let sum = 0;
    for (let i = 0; i < indices.length; i++) {
      sum += symbolBits(tables[state & 1]![classes[i]!]!, indices[i]!);
      state = trellis.transitions[2 * state + (indices[i]! & 1)]!;
    }
    bits[piece.matrix] = bits[piece.matrix]! + sum;
  });
  const total = 8 * bytesOfStreams(encoded.streams);
  let spent = 0;
  for (const value of bits) spent += value;
  const weights = shapes.reduce((sum, { rows, columns }) => sum + rows + columns, 0);
  // What is left is side information, nearly all of it one value a row and a column.
  return bits.map((value, i) =>
    value + (total - spent) * (shapes[i]!.rows + shapes[i]!.columns) / weights
  );
}

/** How trellis levels are read from a file. */
export const trellisCodec: LevelCodec = {
  kind: "trellis",
  decode: decodeSteps,
  isLast: true,
  givesIntegers: true,
  decodesApart: true,
  check: checkTrellis,
  outputShapes: () => [],
  dividedStreams: {
    has: (name) => name.startsWith(CODES),
    neededFor: (shapes, wanted) =>
      planSegments(shapes).flatMap((segment, i) =>
        wanted === undefined || segment.some(({ matrix }) => wanted.has(matrix))
          ? [codesName(i)]
          : []
      ),
  },
  matrixBits,
};

function decodeFields(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
  quantizers: 1 | 2,
): { model: SymbolModel; scales: RowColumnScales[] } {
  const side = new RansDecoder(storedStream(encoded, "fields"));
  const coefficients = takeIntegers(side, coefficientCount(quantizers));
  const take = (count: number, steps: Int32Array | undefined) => {
    const values = takeIntegers(side, count).map((value, i) => value - (steps?.[i] ?? 0));
    if (values.every((value) => Math.abs(value) <= LARGEST_LOG_SCALE)) return values;
    throw damaged(encoded, `a log-scale in stream "fields" is not within ±${LARGEST_LOG_SCALE}`);
  };
  const scales = shapes.map(({ rows, columns, rowColumnSteps }) => ({
    rows: take(rows, rowColumnSteps?.rows),
    columns: take(columns, rowColumnSteps?.columns),
  }));
  if (!side.isAtEnd()) throw damaged(encoded, 'stream "fields" does not decode to its end');
  return { model: { quantizers, coefficients }, scales };
}

/** Throws where the streams are not those of these matrices, or too short for their values. */
function checkTrellis(encoded: EncodedLevel, shapes: readonly MatrixShape[]): void {
  const coefficients = coefficientCount(quantizersOf(trellisOf(encoded)));
  requireRoom(
    encoded,
    "fields",
    fewestBits(1, coefficients),
    shapes,
    ({ rows, columns }) => fewestBits(2, rows + columns),
  );
  // Fields of this many rows and columns are there: the plan of segments is no larger.
  const segments = planSegments(shapes);
  requireStreams(encoded, ["fields", ...segments.map((_, i) => codesName(i))]);
  segments.forEach((segment, i) => {
    const coded = segment.map(({ matrix }) => shapes[matrix]!);
    requireRoom(encoded, codesName(i), 0, coded, (_, j) => {
      const piece = segment[j]!;
      return FEWEST_INDEX_BITS * pieceLength(shapes[piece.matrix]!, piece);
    });
  });
}
