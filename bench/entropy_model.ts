/**
 * What is each feature of the entropy model worth, and what would more of them be worth? Compresses
 * the embedded model at two rates and prices the same quantization indices under ever richer models,
 * side information included, in bits a coded weight; then under extensions that the file does not
 * have.
 *
 *     deno run --allow-read --allow-net bench/entropy_model.ts
 *     deno run --allow-read --allow-net bench/entropy_model.ts --bits 2.5
 */
import { memorySource, readEmbeddedCalibration, readEmbeddedText } from "../data/mod.ts";
import { indexStatistics } from "../hierarchy/entropy/index_statistics.ts";
import { fitEntropyModel } from "../hierarchy/levels/fit_entropy_model.ts";
import { emptyCounts, fitSymbolModel } from "../hierarchy/entropy/fit_symbol_model.ts";
import { idealBits } from "../hierarchy/entropy/index_code.ts";
import type { IndexMatrix } from "../hierarchy/entropy/index_matrix.ts";
import { forEachDiagonal } from "../hierarchy/scan/pieces.ts";
import { putIntegers } from "../hierarchy/entropy/integer_vector.ts";
import { RansEncoder } from "../hierarchy/entropy/rans.ts";
import {
  fitRowColumnScales,
  type RowColumnScales,
} from "../hierarchy/entropy/row_column_scales.ts";
import {
  laplacianModel,
  type SymbolModel,
  symbolTables,
} from "../hierarchy/entropy/symbol_model.ts";
import { levelShapes } from "../hierarchy/levels/level_codecs.ts";
import type { MatrixShape } from "../hierarchy/matrix/matrix.ts";
import { decodeIndices, decodeTrellis } from "../hierarchy/levels/trellis_codec.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { codedShapes } from "../hierarchy/file/plan_tensors.ts";
import { quantizersOf, type Trellis } from "../hierarchy/scan/trellis.ts";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { openCalibrated } from "./support/theory/calibrated_model.ts";
import { type Price, priceExtensions } from "./support/theory/entropy_extensions.ts";
import { printTable } from "./support/theory/table.ts";
import { formatFixed } from "../eval/report/number_text.ts";
import { readOptions } from "./support/command_line.ts";

/** Indices in the order of the code, and what they stand for, row-major, that scales are fit to. */
interface Coded extends MatrixShape {
  readonly indices: Int32Array;
  readonly levels: Float32Array;
}

interface CodedModel {
  readonly trellis: Trellis;
  readonly matrices: readonly Coded[];
}

const args = readOptions({ bits: { type: "string", default: "4,2.5" } });

async function indicesOf(bytes: Uint8Array): Promise<CodedModel> {
  const { stages, tensors } = await openContainer(memorySource(bytes, "embedded model"));
  const stage = stages[0]!;
  const shapes = levelShapes(stage, codedShapes(tensors)).at(-1)!;
  const levels = decodeTrellis(stage.at(-1)!, [], shapes);
  const matrices = shapes.map((shape, i): Coded => {
    const length = shape.rows * shape.columns;
    return { ...shape, indices: new Int32Array(length), levels: levels[i]!.data };
  });
  let used: Trellis | undefined;
  const seen = new Int32Array(shapes.length);
  decodeIndices(stage.at(-1)!, shapes, ({ trellis, piece: { matrix }, indices }) => {
    used = trellis;
    matrices[matrix]!.indices.set(indices, seen[matrix]);
    seen[matrix] = seen[matrix]! + indices.length;
  });
  return { trellis: used!, matrices };
}

/** One table of frequencies for each tensor and quantizer: the entropy of its indices. */
function staticTables({ trellis, matrices }: CodedModel): Price {
  let codes = 0, side = 0;
  for (const matrix of matrices) {
    const counts = [new Map<number, number>(), new Map<number, number>()];
    forEachDiagonal(matrix, ({ position, length }, start) => {
      let state = start;
      for (const k of matrix.indices.subarray(position, position + length)) {
        const table = counts[state & 1]!;
        table.set(k, (table.get(k) ?? 0) + 1);
        state = trellis.transitions[2 * state + (k & 1)]!;
      }
      return state;
    });
    for (const table of counts) {
      const total = table.values().reduce((sum, count) => sum + count, 0);
      for (const count of table.values()) codes -= count * Math.log2(count / total);
      // Frequencies of 12 bits, the least that a static table can be told in.
      side += 12 * table.size;
    }
  }
  return { codes, side };
}

const zeros = (values: Int32Array) => new Int32Array(values.length);
const average = (values: Int32Array) =>
  Math.round(values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length));

/** Ways to leave parts of a scale field out; what is left out keeps its mean. */
const FIELDS: Record<string, (scales: RowColumnScales) => RowColumnScales> = {
  tensor: ({ rows, columns }) => ({
    rows: zeros(rows).fill(average(rows) + average(columns)),
    columns: zeros(columns),
  }),
  rows: ({ rows, columns }) => ({
    rows: rows.map((value) => value + average(columns)),
    columns: zeros(columns),
  }),
  columns: ({ rows, columns }) => ({ rows: zeros(rows).fill(average(rows)), columns }),
  both: (scales) => scales,
};

function withFields({ matrices }: CodedModel, kind: string): IndexMatrix[] {
  return matrices.map(({ rows, columns, indices, levels }) => {
    const scales = FIELDS[kind]!(fitRowColumnScales(levels, rows, columns));
    return { rows, columns, indices, scales };
  });
}

function priceOf(
  { trellis, matrices: coded }: CodedModel,
  matrices: readonly IndexMatrix[],
  model: SymbolModel,
): Price {
  const tables = symbolTables(model);
  const encoder = new RansEncoder();
  putIntegers(encoder, model.coefficients);
  matrices.forEach(({ scales }, i) => {
    const { rowColumnSteps } = coded[i]!;
    const constant = (values: Int32Array) => values.every((value) => value === values[0]);
    const told = (values: Int32Array, steps: Int32Array | undefined) =>
      constant(values)
        ? values.subarray(0, 1)
        : values.map((value, at) => value + (steps?.[at] ?? 0));
    putIntegers(encoder, told(scales.rows, rowColumnSteps?.rows));
    putIntegers(encoder, told(scales.columns, rowColumnSteps?.columns));
  });
  const codes = matrices.reduce((sum, matrix) => sum + idealBits(trellis, matrix, tables), 0);
  return { codes, side: 8 * encoder.finish().length };
}

function fitModel(trellis: Trellis, matrices: readonly IndexMatrix[]): SymbolModel {
  const quantizers = quantizersOf(trellis);
  const counts = emptyCounts(quantizers);
  for (const matrix of matrices) indexStatistics.countMagnitudes(trellis, matrix, counts);
  return fitSymbolModel(quantizers, counts);
}

type NamedPrices = [name: string, price: Price][];

async function pricesOf(
  coded: CodedModel,
  heads: number,
): Promise<{ features: NamedPrices; extensions: NamedPrices }> {
  const { trellis } = coded;
  const fitted = (kind: string) => {
    const matrices = withFields(coded, kind);
    return priceOf(coded, matrices, fitModel(trellis, matrices));
  };
  const both = withFields(coded, "both");
  const counted = both.map((matrix) => ({
    ...matrix,
    counts: indexStatistics.countMagnitudes(trellis, matrix),
  }));
  const full = await fitEntropyModel(trellis.states, counted, runTasksHere);
  const features: NamedPrices = [
    ["static table per tensor", staticTables(coded)],
    ["learned shape, scale per tensor", fitted("tensor")],
    ["learned shape, scale per row", fitted("rows")],
    ["learned shape, scale per column", fitted("columns")],
    ["Laplacian, row + column field", priceOf(coded, both, laplacianModel(2))],
    ["learned shape, row + column field", fitted("both")],
    ["the same, field by maximum likelihood", priceOf(coded, full.matrices, full.model)],
  ];
  const named = full.matrices.map((matrix, i) => ({ ...coded.matrices[i]!, ...matrix }));
  const extensions = priceExtensions(trellis, named, heads, (name) => console.error(name));
  return { features, extensions };
}

function printPrices(title: string, prices: NamedPrices, weights: number): void {
  const base = prices[0]![1];
  printTable(
    [title, "codes", "side", "sum", "saved"],
    prices.map(([name, { codes, side }]) => [
      name,
      ...[codes, side, codes + side, base.codes + base.side - codes - side]
        .map((value) => formatFixed(value / weights, 4)),
    ]),
  );
}

const model = await openCalibrated({
  calibrationText: await readEmbeddedCalibration(),
  calibrationTokens: Infinity,
  evaluationText: await readEmbeddedText(),
  contextLength: 256,
});
for (const bits of args.bits.split(",").map(Number)) {
  const compressor = new HierarchicalCompressor({ bits, states: 8 });
  const { bytes } = await compressor.compress(model.weights, { metrics: model.metrics });
  const coded = await indicesOf(bytes);
  const weights = coded.matrices.reduce((sum, { indices }) => sum + indices.length, 0);
  const { features, extensions } = await pricesOf(coded, Number(model.config.n_head));
  console.log(`\n${model.name} at ${bits} bits per weight\n`);
  printPrices("entropy model", features, weights);
  console.log();
  printPrices("extension", extensions, weights);
}
