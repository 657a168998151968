import { type IndexMatrix, indexReader } from "../../../hierarchy/entropy/index_matrix.ts";
import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import type { RowColumnScales } from "../../../hierarchy/entropy/row_column_scales.ts";
import type { RowColumnSteps } from "../../../hierarchy/matrix/matrix.ts";
import { reconstruct, type Trellis } from "../../../hierarchy/scan/trellis.ts";
import {
  addBlockTerm,
  chooseShapes,
  costsOf,
  fitToScales,
  lineBits,
  sideBits,
  type Symbols,
} from "./entropy_candidates.ts";
import type { Price } from "./coded_indices.ts";
import { fitTwoTerms } from "./two_term_field.ts";

/** A coded matrix with the fields of its entropy model. */
export interface FittedMatrix extends IndexMatrix {
  readonly name: string;
  readonly rowColumnSteps?: RowColumnSteps;
}

/** What could be added to the entropy model, priced on the same indices. */
export function priceExtensions(
  trellis: Trellis,
  matrices: readonly FittedMatrix[],
  heads: number,
  log: (name: string) => void,
): [name: string, price: Price][] {
  const all = matrices.map((matrix) => symbolsOf(trellis, matrix));
  const model = fitToScales(all);
  const costs = costsOf(model);
  const side = sideBits([model.coefficients, ...matrices.flatMap(toldFields)]);
  const base = { codes: bitsOf(all, costs), side };
  const results: [string, Price][] = [["base: row + column field", base]];
  const add = (name: string, { codes, side: more }: Price) => {
    results.push([name, { codes, side: side + more }]);
    log(name);
  };
  const blocks = (name: string, place: (symbols: Symbols) => [number, number] | undefined) => {
    const told: Int32Array[] = [];
    const refined = all.map((symbols) => {
      const block = place(symbols);
      if (block === undefined) return symbols;
      const added = addBlockTerm(symbols, costs, ...block);
      told.push(added.moves);
      return added.symbols;
    });
    add(name, {
      codes: bitsOf(refined, costsOf(fitToScales(refined, model))),
      side: sideBits(told),
    });
  };
  blocks("base, symbol model fitted once more", () => undefined);
  blocks(
    "rows for each of query, key, value",
    ({ name, columns }) => name.includes("c_attn") ? [1, columns / 3] : undefined,
  );
  blocks("rows or columns for each head", ({ name, rows, columns }) => {
    if (name.includes("c_attn")) return [1, columns / 3 / heads];
    return name.includes("attn.c_proj") ? [rows / heads, 1] : undefined;
  });
  blocks("blocks of 16 × 16", () => [16, 16]);
  add("symbol model for each kind of matrix", byKind(all, kindOf));
  add("symbol model for each matrix", byKind(all, ({ name }) => name));
  for (const lines of ["rows", "columns"] as const) {
    for (const count of [2, 4]) {
      const { codes, side: told } = chooseShapes(all, lines, count);
      const own = sideBits([model.coefficients]);
      add(`each of the ${lines} has one of ${count} shapes`, { codes, side: told - own });
    }
  }
  add("second term, exp(r + c) + exp(r' + c')", twoTerms(trellis, matrices, side));
  add("fields told as differences by depth", {
    codes: base.codes,
    side: sideBits([model.coefficients, ...byDepth(matrices)]) - side,
  });
  return results;
}

function bitsOf(all: readonly Symbols[], costs: Float32Array): number {
  return all.reduce((sum, symbols) => sum + lineBits(symbols, costs).sum, 0);
}

const kindOf = ({ name }: { readonly name: string }) =>
  name.replace(/^.*\.h\.\d+\./, "").replace(/^.*\.(w[tp]e)/, "$1");

function byKind(all: readonly Symbols[], keyOf: (symbols: Symbols) => string): Price {
  let codes = 0, side = -sideBits([fitToScales(all).coefficients]);
  for (const group of Map.groupBy(all, keyOf).values()) {
    const model = fitToScales(group);
    codes += bitsOf(group, costsOf(model));
    side += sideBits([model.coefficients]);
  }
  return { codes, side };
}

/** The indices row-major, with their quantizers and scales. */
function symbolsOf(trellis: Trellis, matrix: FittedMatrix): Symbols {
  const { name, rows, columns, indices, scales } = matrix;
  const magnitudes = new Int32Array(indices.length);
  const quantizers = new Uint8Array(indices.length), sums = new Int16Array(indices.length);
  const read = indexReader(indices);
  forEachDiagonal(matrix, ({ row, column, length, position }, start) => {
    const run = read(position, length);
    let state = start;
    for (let t = 0; t < length; t++) {
      const k = run[t]!, at = (row + t) * columns + column - t;
      magnitudes[at] = Math.abs(k);
      quantizers[at] = state & 1;
      sums[at] = scales.rows[row + t]! + scales.columns[column - t]!;
      state = trellis.transitions[2 * state + (k & 1)]!;
    }
    return state;
  });
  return { name, rows, columns, magnitudes, quantizers, scales: sums };
}

/** A matrix' fields as the file tells them: less what the steps say already. */
function toldFields({ scales, rowColumnSteps }: FittedMatrix): Int32Array[] {
  return [
    scales.rows.map((value, i) => value + (rowColumnSteps?.rows[i] ?? 0)),
    scales.columns.map((value, j) => value + (rowColumnSteps?.columns[j] ?? 0)),
  ];
}

/** The same, but as differences from the matrix of the same kind in the layer before. */
function byDepth(matrices: readonly FittedMatrix[]): Int32Array[] {
  const before = new Map<string, Int32Array[]>();
  return matrices.flatMap((matrix) => {
    const told = toldFields(matrix), kind = kindOf(matrix);
    const last = before.get(kind);
    before.set(kind, told);
    if (last === undefined) return told;
    return told.map((vector, k) => {
      const difference = vector.map((value, i) => value - last[k]![i]!);
      return sideBits([difference]) < sideBits([vector]) ? difference : vector;
    });
  });
}

const exp2Eighth = (value: number) => 2 ** (value / 8);
const toEighths = (value: number) =>
  Math.round(Math.min(Math.max(8 * Math.log2(value), -200), 200));

/** Two-term fields in the place of the fields, both terms rounded to eighths of an octave. */
function twoTerms(trellis: Trellis, matrices: readonly FittedMatrix[], sideBefore: number): Price {
  const told: Int32Array[] = [];
  const all = matrices.map((matrix): Symbols => {
    const symbols = symbolsOf(trellis, matrix);
    const { rows, columns, magnitudes, quantizers } = symbols;
    const levels = Float32Array.from(
      magnitudes,
      (k, at) => Math.abs(reconstruct(trellis, quantizers[at]!, k)),
    );
    const fit = fitTwoTerms(levels, {
      rows: Float64Array.from(matrix.scales.rows, exp2Eighth),
      columns: Float64Array.from(matrix.scales.columns, exp2Eighth),
    });
    const terms = [0, 1].map((q): RowColumnScales => ({
      rows: Int32Array.from(fit.rows[q]!, toEighths),
      columns: Int32Array.from(fit.columns[q]!, toEighths),
    }));
    for (const term of terms) told.push(...toldFields({ ...matrix, scales: term }));
    const scales = new Int16Array(rows * columns);
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        scales[at] = toEighths(
          terms.reduce((sum, term) => sum + exp2Eighth(term.rows[i]! + term.columns[j]!), 0),
        );
      }
    }
    return { ...symbols, scales };
  });
  const model = fitToScales(all);
  const side = sideBits([model.coefficients, ...told]) - sideBefore;
  return { codes: bitsOf(all, costsOf(model)), side };
}
