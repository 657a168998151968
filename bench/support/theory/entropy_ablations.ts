import { classCosts } from "../../../hierarchy/entropy/class_costs.ts";
import {
  emptyCounts,
  fitSymbolModel,
  type MagnitudeCounts,
} from "../../../hierarchy/entropy/fit_symbol_model.ts";
import { idealBits } from "../../../hierarchy/entropy/index_code.ts";
import type { IndexMatrix } from "../../../hierarchy/entropy/index_matrix.ts";
import { AXIS_SUMS, indexStatistics } from "../../../hierarchy/entropy/index_statistics.ts";
import { createIndexStatisticsKernel } from "../../../hierarchy/entropy/index_statistics_kernel.ts";
import { bestMove, refineAxis } from "../../../hierarchy/entropy/refine_scales.ts";
import {
  fitRowColumnScales,
  type RowColumnScales,
} from "../../../hierarchy/entropy/row_column_scales.ts";
import { symbolCosts } from "../../../hierarchy/entropy/symbol_costs.ts";
import { type SymbolModel, symbolTables } from "../../../hierarchy/entropy/symbol_model.ts";
import type { SymbolTables } from "../../../hierarchy/entropy/symbol_table.ts";
import type { Trellis } from "../../../hierarchy/scan/trellis.ts";
import {
  type Coded,
  type CodedModel,
  fieldBits,
  type Price,
  staticTables,
} from "./coded_indices.ts";
import {
  DENSITY_FAMILIES,
  type DensityFamily,
  type DensityModel,
  densityTables,
  firstDensity,
  fitDensity,
} from "./density_family.ts";

/** A model of the indices, and what they cost under it. */
export interface Ablation {
  readonly name: string;
  /** How many parameters all matrices share, and what was found. */
  readonly parameters: string;
  readonly price: Price;
}

/** Which scales a matrix has. */
type Axes = "none" | "rows" | "columns" | "both";

/** Tables fitted to counted magnitudes, and how many bits their parameters take. */
interface FittedTables {
  readonly tables: SymbolTables;
  readonly coefficients: Int32Array;
  readonly parameters: string;
}
/** Fits tables to counts, from those that it fitted last. */
type FitTables = (counts: MagnitudeCounts) => FittedTables;

/** As many as the compressor's. */
const FIT_ROUNDS = 3;
const statistics = createIndexStatisticsKernel() ?? indexStatistics;

function learnedShapes(): FitTables {
  let model: SymbolModel | undefined;
  return (counts) => {
    model = fitSymbolModel(2, counts, model);
    const { coefficients } = model;
    return { tables: symbolTables(model), coefficients, parameters: `${coefficients.length}` };
  };
}

function densities(family: DensityFamily, factors: boolean): FitTables {
  let model: DensityModel = firstDensity(family, factors);
  return (counts) => {
    model = fitDensity(model, counts);
    const { parameters } = model;
    return {
      tables: densityTables(model),
      coefficients: Int32Array.from(parameters, (value) => Math.round(256 * value)),
      parameters: `${parameters.length}: ${parameters.map((value) => (2 ** value).toFixed(2))}`,
    };
  };
}

/** The scales of mean magnitudes along the axes that have any. */
function firstScales(axes: Axes, { levels, rows, columns }: Coded): RowColumnScales {
  if (axes === "both") return fitRowColumnScales(levels, rows, columns);
  const sums = new Float64Array(axes === "rows" ? rows : axes === "columns" ? columns : 1);
  for (let at = 0; at < levels.length; at++) {
    const row = Math.floor(at / columns), column = at - row * columns;
    const line = axes === "rows" ? row : axes === "columns" ? column : 0;
    sums[line] = sums[line]! + Math.abs(levels[at]!);
  }
  const eighths = (line: number) => {
    const mean = Math.max(sums[line]! * sums.length / levels.length, 1e-15);
    return Math.round(Math.max(8 * Math.log2(mean), -400));
  };
  return {
    rows: Int32Array.from(
      { length: rows },
      (_, i) => axes === "columns" ? 0 : eighths(axes === "rows" ? i : 0),
    ),
    columns: Int32Array.from({ length: columns }, (_, j) => axes === "columns" ? eighths(j) : 0),
  };
}

/** Scales moved to where indices cost least, as the compressor does, along the axes that have any. */
function refine(
  axes: Axes,
  trellis: Trellis,
  matrix: IndexMatrix,
  tables: SymbolTables,
): RowColumnScales {
  const costs = classCosts(symbolCosts(tables));
  let { scales } = matrix;
  if (axes === "none") {
    const sums = statistics.axisCosts(trellis, matrix, costs, "rows");
    const whole = new Float64Array(AXIS_SUMS);
    sums.forEach((sum, i) => whole[i % AXIS_SUMS] = whole[i % AXIS_SUMS]! + sum);
    const move = bestMove(whole, 0);
    return { ...scales, rows: scales.rows.map((value) => value + move) };
  }
  for (const axis of ["rows", "columns"] as const) {
    if (axes !== "both" && axes !== axis) continue;
    const refined = refineAxis(trellis, { ...matrix, scales }, costs, statistics, axis);
    scales = { ...scales, [axis]: refined };
  }
  return scales;
}

interface Fit extends FittedTables {
  readonly matrices: readonly IndexMatrix[];
}

function fit({ trellis, matrices: coded }: CodedModel, axes: Axes, fitTables: FitTables): Fit {
  let matrices: IndexMatrix[] = coded.map((matrix) => ({
    rows: matrix.rows,
    columns: matrix.columns,
    indices: matrix.indices,
    scales: firstScales(axes, matrix),
  }));
  const counted = () => {
    const counts = emptyCounts(2);
    for (const matrix of matrices) statistics.countMagnitudes(trellis, matrix, counts);
    return counts;
  };
  let fitted = fitTables(counted());
  for (let round = 1; round < FIT_ROUNDS; round++) {
    matrices = matrices.map((matrix) => ({
      ...matrix,
      scales: refine(axes, trellis, matrix, fitted.tables),
    }));
    fitted = fitTables(counted());
  }
  return { ...fitted, matrices };
}

function priceOf(model: CodedModel, { matrices, tables, coefficients }: Fit): Price {
  return {
    codes: matrices.reduce((sum, matrix) => sum + idealBits(model.trellis, matrix, tables), 0),
    side: fieldBits(model.matrices, matrices.map(({ scales }) => scales), coefficients),
  };
}

/** The same indices under the file's entropy model, under densities, and under parts of the scales. */
export function priceAblations(model: CodedModel): Ablation[] {
  if (model.trellis.states === 1) throw new RangeError("these models are of two quantizers");
  const results: Ablation[] = [];
  const add = (name: string, axes: Axes, fitTables: FitTables) => {
    const fitted = fit(model, axes, fitTables);
    results.push({ name, parameters: fitted.parameters, price: priceOf(model, fitted) });
  };
  add("learned shapes, as in the file", "both", learnedShapes());
  for (const family of DENSITY_FAMILIES) add(family.name, "both", densities(family, false));
  for (const family of DENSITY_FAMILIES.filter(({ name }) => name.endsWith("Gaussian"))) {
    add(`${family.name}, factors of 0, ±1, ±2`, "both", densities(family, true));
  }
  add("learned shapes, scales of rows only", "rows", learnedShapes());
  add("learned shapes, scales of columns only", "columns", learnedShapes());
  add("learned shapes, a scale per matrix", "none", learnedShapes());
  results.push({ name: "a table per matrix", parameters: "", price: staticTables(model) });
  return results;
}
