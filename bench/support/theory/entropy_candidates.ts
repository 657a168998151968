import { CLASS_COUNT } from "../../../hierarchy/format/constants.ts";
import {
  emptyCounts,
  fitSymbolModel,
  MAGNITUDES,
} from "../../../hierarchy/entropy/fit_symbol_model.ts";
import { putIntegers } from "../../../hierarchy/entropy/integer_vector.ts";
import { RansEncoder } from "../../../hierarchy/entropy/rans.ts";
import { classOf } from "../../../hierarchy/entropy/row_column_scales.ts";
import { COSTED_MAGNITUDES, symbolCosts } from "../../../hierarchy/entropy/symbol_costs.ts";
import {
  rawBitsOf,
  type SymbolModel,
  symbolTables,
} from "../../../hierarchy/entropy/symbol_model.ts";
import { bucketOf } from "../../../hierarchy/entropy/symbol_table.ts";

/** The indices of a matrix without their signs, and what was told of their log-scales so far. */
export interface Symbols {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Magnitudes of the indices, row-major. */
  readonly magnitudes: Int32Array;
  /** Quantizer of each index. */
  readonly quantizers: Uint8Array;
  /** Log-scale of each index, in eighths of an octave. */
  readonly scales: Int16Array;
}

const QUANTIZERS = 2;
const RAW_BITS = Uint8Array.from({ length: CLASS_COUNT }, (_, c) => rawBitsOf(QUANTIZERS, c));

/** The symbol model that fits the indices best given their scales. */
export function fitToScales(all: readonly Symbols[], start?: SymbolModel): SymbolModel {
  const counts = emptyCounts(QUANTIZERS);
  for (const { magnitudes, quantizers, scales } of all) {
    for (let at = 0; at < scales.length; at++) {
      const index = classOf(scales[at]!);
      const bucket = Math.min(
        Math.abs(bucketOf(magnitudes[at]!, RAW_BITS[index]!)),
        MAGNITUDES - 1,
      );
      const cell = (quantizers[at]! * CLASS_COUNT + index) * MAGNITUDES + bucket;
      counts[cell] = counts[cell]! + 1;
    }
  }
  return fitSymbolModel(QUANTIZERS, counts, start);
}

/** Bits of magnitudes in every class, as `symbolCosts` orders them. */
export const costsOf = (model: SymbolModel): Float32Array => symbolCosts(symbolTables(model));

function costOf(costs: Float32Array, quantizer: number, scale: number, magnitude: number): number {
  const row = (quantizer * CLASS_COUNT + classOf(scale)) * COSTED_MAGNITUDES;
  return costs[row + Math.min(magnitude, COSTED_MAGNITUDES - 1)]!;
}

/** Ideal bits of each row and each column of a matrix. */
export function lineBits(
  { rows, columns, magnitudes, quantizers, scales }: Symbols,
  costs: Float32Array,
): { rows: Float64Array; columns: Float64Array; sum: number } {
  const bits = { rows: new Float64Array(rows), columns: new Float64Array(columns), sum: 0 };
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const cost = costOf(costs, quantizers[at]!, scales[at]!, magnitudes[at]!);
      bits.rows[i] = bits.rows[i]! + cost;
      bits.columns[j] = bits.columns[j]! + cost;
      bits.sum += cost;
    }
  }
  return bits;
}

/** Bits of vectors of integers as the file codes them. */
export function sideBits(vectors: Iterable<Int32Array>): number {
  const encoder = new RansEncoder();
  for (const vector of vectors) putIntegers(encoder, vector);
  return 8 * encoder.finish().length;
}

/** Eighths of an octave that one round of refinement moves a coefficient by at most. */
const REACH = 4;
const MOVES = 2 * REACH + 1;

/**
 * Adds a term to the log-scales that is constant over blocks of `blockRows` by `blockColumns`: each
 * coefficient is moved to where its indices cost least, less what telling it costs. Returns the
 * moves, block row by block row, and the symbols with their new scales.
 */
export function addBlockTerm(
  symbols: Symbols,
  costs: Float32Array,
  blockRows: number,
  blockColumns: number,
  penalty = 0.5,
): { moves: Int32Array; symbols: Symbols } {
  const { rows, columns, magnitudes, quantizers, scales } = symbols;
  const across = Math.ceil(columns / blockColumns);
  const blockOf = (i: number, j: number) =>
    Math.floor(i / blockRows) * across + Math.floor(j / blockColumns);
  const sums = new Float64Array(Math.ceil(rows / blockRows) * across * MOVES);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++, at++) {
      const first = blockOf(i, j) * MOVES;
      for (let move = 0; move < MOVES; move++) {
        const scale = scales[at]! + move - REACH;
        const cost = costOf(costs, quantizers[at]!, scale, magnitudes[at]!);
        sums[first + move] = sums[first + move]! + cost;
      }
    }
  }
  const moves = Int32Array.from({ length: sums.length / MOVES }, (_, block) => {
    let best = 0, least = Infinity;
    for (let move = -REACH; move <= REACH; move++) {
      const bits = sums[block * MOVES + move + REACH]! + penalty * Math.abs(move);
      if (bits < least) [best, least] = [move, bits];
    }
    return best;
  });
  const moved = scales.map((scale, at) => {
    return scale + moves[blockOf(Math.floor(at / columns), at % columns)]!;
  });
  return { moves, symbols: { ...symbols, scales: moved } };
}

/** Symbol models by number, and which of them each line (row or column) of a matrix uses. */
export interface ShapeChoice {
  readonly models: readonly SymbolModel[];
  /** Bits of all indices. */
  readonly codes: number;
  /** Bits of the choices, at their entropy, and of the models. */
  readonly side: number;
}

/**
 * Lets every row (or column) choose among `count` shapes of the distribution, which are fitted in
 * turn with the choices.
 */
export function chooseShapes(
  all: readonly Symbols[],
  lines: "rows" | "columns",
  count: number,
  rounds = 4,
): ShapeChoice {
  const common = fitToScales(all);
  // From narrow to wide: the common model, its small magnitudes made likelier or less likely.
  const spread = (k: number) => 24 * (k / Math.max(1, count - 1) - 0.5);
  let models = Array.from({ length: count }, (_, k): SymbolModel => ({
    ...common,
    coefficients: common.coefficients.map((value, at) =>
      at < 6 ? Math.round(value + spread(k)) : value
    ),
  }));
  for (let round = 0;; round++) {
    const bits = models.map((model) => {
      const costs = costsOf(model);
      return all.map((symbols) => lineBits(symbols, costs)[lines]);
    });
    const choices = all.map((symbols, m) =>
      Uint8Array.from({ length: symbols[lines] }, (_, line) => {
        let best = 0;
        for (let k = 1; k < count; k++) if (bits[k]![m]![line]! < bits[best]![m]![line]!) best = k;
        return best;
      })
    );
    if (round === rounds) {
      let codes = 0;
      const used = new Float64Array(count);
      choices.forEach((choice, m) =>
        choice.forEach((k, line) => {
          codes += bits[k]![m]![line]!;
          used[k] = used[k]! + 1;
        })
      );
      return { models, codes, side: entropyOf(used) + sideBits(models.map((m) => m.coefficients)) };
    }
    models = models.map((model, k) =>
      fitToScales(
        all.map((symbols, m) => {
          return selectLines(symbols, lines, choices[m]!, k);
        }),
        model,
      )
    );
  }
}

function entropyOf(counts: Float64Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, n) => n === 0 ? sum : sum + n * Math.log2(total / n), 0);
}

/** The indices of the lines that chose `k`, as one row. */
function selectLines(
  symbols: Symbols,
  lines: "rows" | "columns",
  choice: Uint8Array,
  k: number,
): Symbols {
  const { columns, magnitudes, quantizers, scales } = symbols;
  const isChosen = (_: number, at: number) =>
    choice[lines === "rows" ? Math.floor(at / columns) : at % columns] === k;
  const kept = scales.filter(isChosen);
  return {
    name: symbols.name,
    rows: 1,
    columns: kept.length,
    scales: kept,
    magnitudes: magnitudes.filter(isChosen),
    quantizers: quantizers.filter(isChosen),
  };
}
