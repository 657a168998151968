/**
 * What is each feature of the entropy model worth, and what would more of them be worth? Compresses
 * the embedded model at two rates and prices the same quantization indices under ever richer models,
 * side information included, in bits a coded weight; then under extensions that the file does not
 * have.
 *
 *     deno run --allow-read --allow-net bench/entropy_model.ts
 *     deno run --allow-read --allow-net bench/entropy_model.ts --bits 2.5
 */
import { readEmbeddedCalibration, readEmbeddedText } from "../data/mod.ts";
import { indexStatistics } from "../hierarchy/entropy/index_statistics.ts";
import { fitEntropyModel } from "../hierarchy/levels/fit_entropy_model.ts";
import { emptyCounts, fitSymbolModel } from "../hierarchy/entropy/fit_symbol_model.ts";
import { idealBits } from "../hierarchy/entropy/index_code.ts";
import type { IndexMatrix } from "../hierarchy/entropy/index_matrix.ts";
import {
  fitRowColumnScales,
  type RowColumnScales,
} from "../hierarchy/entropy/row_column_scales.ts";
import {
  laplacianModel,
  type SymbolModel,
  symbolTables,
} from "../hierarchy/entropy/symbol_model.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { quantizersOf, type Trellis } from "../hierarchy/scan/trellis.ts";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { openCalibrated } from "./support/theory/calibrated_model.ts";
import {
  type CodedModel,
  fieldBits,
  indicesOf,
  type Price,
  staticTables,
} from "./support/theory/coded_indices.ts";
import { priceExtensions } from "./support/theory/entropy_extensions.ts";
import { printTable } from "./support/theory/table.ts";
import { formatFixed } from "../eval/report/number_text.ts";
import { readOptions } from "./support/command_line.ts";

const args = readOptions({ bits: { type: "string", default: "4,2.5" } });

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
  const codes = matrices.reduce((sum, matrix) => sum + idealBits(trellis, matrix, tables), 0);
  const fields = matrices.map(({ scales }) => scales);
  return { codes, side: fieldBits(coded, fields, model.coefficients) };
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
