import { InputError } from "../../data/input_error.ts";
import { emptyCounts, fitSymbolModel } from "../entropy/fit_symbol_model.ts";
import { decodeSegment, DecodingTables, encodeSegment } from "../entropy/index_code.ts";
import { type IndexMatrix, planSegments, rowsPerPiece } from "../entropy/index_matrix.ts";
import { putIntegers, takeIntegers } from "../entropy/integer_vector.ts";
import { RansDecoder, RansEncoder } from "../entropy/rans.ts";
import { countMagnitudes, refineField } from "../entropy/refine_field.ts";
import { fitScaleField, type ScaleField } from "../entropy/scale_field.ts";
import { symbolCosts } from "../entropy/symbol_costs.ts";
import { coefficientCount, type SymbolModel, symbolTables } from "../entropy/symbol_model.ts";
import { createTrellis, reconstruct, type Trellis } from "../quantize/trellis.ts";
import { quantizeRun } from "../quantize/viterbi.ts";
import type { EncodeContext, EncodedLevel, Level, MatrixShape, Signal } from "./level.ts";

/** Settings of {@linkcode createTrellisLevel}. */
export interface TrellisLevelOptions {
  /** Trellis states: 1 is a uniform scalar quantizer. */
  readonly states: number;
}

/** Rounds of fitting the two layers of the entropy model in turn. */
const FIT_ROUNDS = 3;

/**
 * The level that spends the bits: quantizes a signal that is already in steps (see the field level)
 * to integers, and entropy-codes them with a KAN of two layers. A last level: hands nothing on.
 */
export function createTrellisLevel({ states }: TrellisLevelOptions): Level {
  const trellis = createTrellis(states);
  return {
    kind: "trellis",
    encode(signal: Signal, context: EncodeContext) {
      const quantized = signal.map((matrix, i) => {
        context.signal?.throwIfAborted();
        const indices = quantizeMatrix(trellis, matrix.data, matrix.rows, matrix.columns);
        context.onProgress?.((i + 1) / signal.length / 2);
        const field = fitScaleField(matrix.data, matrix.rows, matrix.columns);
        return { ...matrix, indices, field };
      });
      const { matrices, model } = fitEntropyModel(trellis, quantized);
      context.signal?.throwIfAborted();
      const streams = encodeStreams(trellis, matrices, model);
      context.onProgress?.(1);
      const encoded: EncodedLevel = { kind: "trellis", parameters: { states }, streams };
      return Promise.resolve({ encoded, handsOn: [] });
    },
  };
}

function quantizeMatrix(trellis: Trellis, data: Float32Array, rows: number, columns: number) {
  const indices = new Int32Array(rows * columns);
  const step = rowsPerPiece(columns);
  for (let row = 0; row < rows; row += step) {
    const end = Math.min(rows, row + step) * columns;
    quantizeRun(
      trellis,
      data.subarray(row * columns, end),
      0,
      indices.subarray(row * columns, end),
    );
  }
  return indices;
}

/** Fits fields and symbol model in turn, by maximum likelihood of the indices. */
export function fitEntropyModel(
  trellis: Trellis,
  matrices: readonly IndexMatrix[],
): { matrices: IndexMatrix[]; model: SymbolModel } {
  const quantizers = trellis.states === 1 ? 1 : 2;
  let current = [...matrices];
  let model: SymbolModel | undefined;
  for (let round = 0; round < FIT_ROUNDS; round++) {
    const counts = emptyCounts(quantizers);
    for (const matrix of current) countMagnitudes(trellis, matrix, counts);
    model = fitSymbolModel(quantizers, counts, model);
    if (round === FIT_ROUNDS - 1) break;
    const costs = symbolCosts(symbolTables(model));
    current = current.map((matrix) => ({
      ...matrix,
      field: refineField(trellis, matrix, costs),
    }));
  }
  return { matrices: current, model: model! };
}

function encodeStreams(
  trellis: Trellis,
  matrices: readonly IndexMatrix[],
  model: SymbolModel,
): Map<string, Uint8Array> {
  const side = new RansEncoder();
  putIntegers(side, model.coefficients);
  for (const { field } of matrices) {
    putIntegers(side, field.rows);
    putIntegers(side, field.columns);
  }
  const streams = new Map([["fields", side.finish()]]);
  const tables = symbolTables(model);
  planSegments(matrices).forEach((segment, i) => {
    streams.set(`codes.${i}`, encodeSegment(trellis, segment, matrices, tables));
  });
  return streams;
}

/** Decodes what {@linkcode createTrellisLevel} encoded: the quantized signal, in steps. */
export function decodeTrellis(
  encoded: EncodedLevel,
  _handedOn: Signal,
  shapes: readonly MatrixShape[],
): Signal {
  const trellis = createTrellis(Number(encoded.parameters.states));
  const { model, fields } = decodeFields(encoded, shapes, trellis.states === 1 ? 1 : 2);
  const tables = new DecodingTables(symbolTables(model));
  const coded = shapes.map(({ columns }, i) => ({ columns, field: fields[i]! }));
  const signal = shapes.map((shape) => ({
    ...shape,
    data: new Float32Array(shape.rows * shape.columns),
  }));
  planSegments(shapes).forEach((segment, i) => {
    const stream = streamOf(encoded, `codes.${i}`);
    const complete = decodeSegment(trellis, stream, segment, coded, tables, (matrix, row, k, s) => {
      const { data, columns } = signal[matrix]!;
      let state = s;
      for (let j = 0, at = row * columns; j < columns; j++, at++) {
        data[at] = reconstruct(trellis, state & 1, k[j]!);
        state = trellis.transitions[2 * state + (k[j]! & 1)]!;
      }
    });
    if (!complete) {
      throw new InputError(
        `stream codes.${i} (${shapes[segment[0]!.matrix]!.name} …) does not decode to its end`,
      );
    }
  });
  return signal;
}

function decodeFields(
  encoded: EncodedLevel,
  shapes: readonly MatrixShape[],
  quantizers: 1 | 2,
): { model: SymbolModel; fields: ScaleField[] } {
  const side = new RansDecoder(streamOf(encoded, "fields"));
  const coefficients = takeIntegers(side, coefficientCount(quantizers));
  const fields = shapes.map(({ rows, columns }) => ({
    rows: takeIntegers(side, rows),
    columns: takeIntegers(side, columns),
  }));
  return { model: { quantizers, coefficients }, fields };
}

function streamOf(encoded: EncodedLevel, name: string): Uint8Array {
  const stream = encoded.streams.get(name);
  if (stream === undefined) throw new InputError(`level ${encoded.kind} lacks its stream ${name}`);
  return stream;
}
