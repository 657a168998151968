import { exp2Eighths } from "../entropy/exact_math.ts";
import { fewestBits, putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import type { EncodedLevel, Level } from "./level.ts";
import type { WantedParts } from "../matrix/matrix_part.ts";
import type { RowColumnFactors } from "../matrix/coded_matrix.ts";
import { multiplied, withProperties } from "../matrix/held_matrix.ts";
import type { Matrices, Matrix, MatrixShape } from "../matrix/matrix.ts";
import { decodeGains, GAINS, multiplyGains, type RoundedGains } from "./field_gains.ts";
import { type ErrorMetric, metricOf, weightsOf } from "../matrix/error_metric.ts";
import type { LevelCodec } from "./level_codec.ts";
import { rememberByLevel } from "./remember_by_level.ts";
import { matrixBlocks } from "../matrix/matrix_blocks.ts";
import { typicalSquareOfParts } from "../matrix/typical_square.ts";
import { createBreaks, finish, type Steps } from "../../workers/steps.ts";
import {
  damaged,
  positiveParameter,
  requireRoom,
  requireStreams,
  storedStream,
} from "./stored_level.ts";

/** Settings of {@linkcode createFieldLevel}. */
export interface FieldLevelOptions {
  /** The global constant c: every coefficient gets the same expected share of the loss. */
  readonly step: number;
}

/**
 * A Kolmogorov-Arnold superposition in the log domain: the step of the weight in row i and column j
 * is step · 2^((base + rows[i] + columns[j]) / 8).
 */
interface StepField {
  readonly base: number;
  /** Empty where all rows have the same step. */
  readonly rows: Int32Array;
  /** Empty where all columns have the same step. */
  readonly columns: Int32Array;
}

/** A field as a file has it. */
interface StoredField extends StepField {
  /** What values are multiplied by beside their steps, where there is more. */
  readonly gains: RoundedGains | undefined;
}

/** Exponents are kept within this many eighths of an octave of zero. */
const LIMIT = 1200;

/**
 * Divides every weight by its quantization step and hands the quotients on. Where a matrix has an
 * error metric, the step of weight (i, j) is c / (rowWeight_i · columnWeight_j): every coefficient then adds the
 * same expected loss (reverse water-filling). Without one it is c times the matrix' root mean
 * square, outliers left out, so that every matrix gets the same rate.
 */
export function createFieldLevel({ step }: FieldLevelOptions): Level {
  return {
    kind: "field",
    async encode(matrices, { signal: abort }) {
      const pause = createBreaks(abort);
      const fields: StepField[] = [];
      for (const matrix of matrices) {
        await pause();
        fields.push(stepField(matrix));
      }
      const side = new RansEncoder();
      putIntegers(side, Int32Array.from(fields, ({ base }) => base));
      putIntegers(side, Int32Array.from(fields, ({ rows }) => rows.length > 0 ? 1 : 0));
      for (const { rows, columns } of fields) {
        if (rows.length === 0) continue;
        putIntegers(side, rows);
        putIntegers(side, columns);
      }
      const streams = new Map([["steps", side.finish()]]);
      const output = matrices.map((matrix, i) => divide(matrix, fields[i]!, step));
      return { encoded: { kind: "field", parameters: { step }, streams }, output };
    },
  };
}

function stepField(matrix: Matrix): StepField {
  const { rows, metric } = matrix;
  if (metric === undefined) {
    const exponent = 4 * Math.log2(typicalSquareOfParts(() => matrixBlocks(matrix)));
    return { base: clampExponent(exponent), rows: new Int32Array(), columns: new Int32Array() };
  }
  const rowExponents = Int32Array.from(
    { length: rows },
    (_, i) => clampExponent(-8 * Math.log2(metric.rowWeights[i]!)),
  );
  const columnExponents = Int32Array.from(
    metric.columnWeights,
    (weight) => clampExponent(-8 * Math.log2(weight)),
  );
  return { base: 0, rows: rowExponents, columns: columnExponents };
}

function clampExponent(exponent: number): number {
  return Math.round(Math.min(Math.max(exponent, -LIMIT), LIMIT));
}

/** Steps by row (with the base and the global step) and by column. */
function stepFactors(
  { base, rows, columns }: StepField,
  step: number,
  shape: MatrixShape,
): RowColumnFactors {
  return {
    rows: Float64Array.from(
      { length: shape.rows },
      (_, i) => step * exp2Eighths(base + (rows[i] ?? 0)),
    ),
    columns: Float64Array.from(
      { length: shape.columns },
      (_, j) => exp2Eighths(columns[j] ?? 0),
    ),
  };
}

/** The quotients, made when they are asked for, with the metric that belongs to them. */
function divide(matrix: Matrix, field: StepField, step: number): Matrix {
  const { metric } = matrix;
  const factors = stepFactors(field, step, matrix);
  const inverse = (values: Float64Array) => values.map((value) => 1 / value);
  const quotients = multiplied(matrix, {
    rows: inverse(factors.rows),
    columns: inverse(factors.columns),
  });
  return withProperties(quotients, {
    ...(metric && { metric: scaled(metric, factors) }),
    ...(field.rows.length > 0 && {
      rowColumnSteps: { rows: field.rows, columns: field.columns },
    }),
  });
}

function withLogSteps<Shape extends MatrixShape>(
  shape: Shape,
  { rows, columns }: StepField,
): Shape {
  return rows.length === 0 ? shape : { ...shape, rowColumnSteps: { rows, columns } };
}

/** The metric of errors in quotients. */
function scaled(metric: ErrorMetric, { rows, columns }: RowColumnFactors): ErrorMetric {
  return metricOf(metric, {
    ...weightsOf(metric),
    rowWeights: metric.rowWeights.map((weight, i) => weight * rows[i]!),
    columnWeights: metric.columnWeights.map((weight, j) => weight * columns[j]!),
    rowSteps: rows,
    columnSteps: columns,
  });
}

/** Multiplies the quotients by their steps, in place. */
export function decodeField(
  encoded: EncodedLevel,
  output: Matrices,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
): Matrices {
  return finish(multiply(encoded, output, shapes, wanted));
}

function* multiply(
  encoded: EncodedLevel,
  output: Matrices,
  shapes: readonly MatrixShape[],
  wanted?: WantedParts,
): Steps<Matrices> {
  const factorsOf = storedFactors(encoded, shapes);
  const matrices: Matrix[] = [];
  for (const [i, matrix] of output.entries()) {
    yield;
    if (matrix.data.length === 0) {
      matrices.push({ ...shapes[i]!, data: matrix.data });
      continue;
    }
    const factors = factorsOf(i);
    const part = wanted?.get(i);
    const row = part?.rows === undefined ? factors.rows : valuesAt(factors.rows, part.rows);
    const column = part?.columns === undefined
      ? factors.columns
      : valuesAt(factors.columns, part.columns);
    const { rows, columns, data } = matrix;
    for (let r = 0, at = 0; r < rows; r++) {
      const rowStep = row[r]!;
      for (let j = 0; j < columns; j++, at++) data[at] = data[at]! * (rowStep * column[j]!);
    }
    matrices.push({ name: shapes[i]!.name, rows, columns, data });
  }
  return matrices;
}

/** What decoding multiplies a matrix by, given its number. */
function storedFactors(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
): (matrix: number) => RowColumnFactors {
  const step = positiveParameter(encoded, "step");
  const fields = takeFields(encoded, shapes);
  const { gainStep } = encoded.parameters;
  return (i) =>
    multiplyGains(stepFactors(fields[i]!, step, shapes[i]!), fields[i]!.gains, Number(gainStep));
}

function valuesAt(values: Float64Array, numbers: Int32Array): Float64Array {
  return Float64Array.from(numbers, (number) => values[number]!);
}

const takeFields = rememberByLevel((encoded, shapes): StoredField[] => {
  const gains = decodeGains(encoded, shapes);
  const side = new RansDecoder(storedStream(encoded, "steps"));
  const head = fewestBits(2, 2 * shapes.length);
  requireRoom(encoded, "steps", head, [], () => 0);
  const bases = takeIntegers(side, shapes.length);
  const separable = takeIntegers(side, shapes.length);
  requireRoom(
    encoded,
    "steps",
    head,
    shapes,
    ({ rows, columns }, i) => separable[i] ? fewestBits(2, rows + columns) : 0,
  );
  const fields = shapes.map(({ rows, columns }, i) => ({
    base: bases[i]!,
    rows: separable[i] ? takeIntegers(side, rows) : new Int32Array(),
    columns: separable[i] ? takeIntegers(side, columns) : new Int32Array(),
    gains: gains[i],
  }));
  if (!side.isAtEnd()) throw damaged(encoded, 'stream "steps" does not decode to its end');
  return fields;
});

/** How field levels are read from a file. */
export const fieldCodec: LevelCodec = {
  kind: "field",
  decode: multiply,
  decodesApart: true,
  factors(encoded, shapes) {
    const factorsOf = storedFactors(encoded, shapes);
    return shapes.map((_, i) => factorsOf(i));
  },
  check(encoded, shapes) {
    positiveParameter(encoded, "step");
    requireStreams(encoded, encoded.streams.has(GAINS) ? ["steps", GAINS] : ["steps"]);
    takeFields(encoded, shapes);
  },
  outputShapes: rememberByLevel((encoded, shapes) => {
    const fields = takeFields(encoded, shapes);
    return shapes.map((shape, i) => withLogSteps(shape, fields[i]!));
  }),
};
