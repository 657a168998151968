import type { Trellis } from "../quantize/trellis.ts";
import { countMagnitudes } from "./count_magnitudes.ts";
import { emptyCounts, fitSymbolModel } from "./fit_symbol_model.ts";
import type { IndexMatrix } from "./index_matrix.ts";
import { classCosts, refineField } from "./refine_field.ts";
import { symbolCosts } from "./symbol_costs.ts";
import { type SymbolModel, symbolTables } from "./symbol_model.ts";

/** Rounds of fitting the two layers of the entropy model in turn. */
const FIT_ROUNDS = 3;

/** Both layers of an entropy model: the fields stand with the matrices. */
export interface EntropyModelFit {
  /** The matrices with their fields. */
  readonly matrices: readonly IndexMatrix[];
  /** The symbol model of all matrices. */
  readonly model: SymbolModel;
}

/**
 * Fits fields and symbol model in turn, by maximum likelihood of the indices, from the matrices'
 * own fields and `start`.
 */
export function fitEntropyModel(
  trellis: Trellis,
  matrices: readonly IndexMatrix[],
  start?: SymbolModel,
): EntropyModelFit {
  const quantizers = trellis.states === 1 ? 1 : 2;
  let current = matrices;
  let model = start;
  for (let round = 0; round < FIT_ROUNDS; round++) {
    const counts = emptyCounts(quantizers);
    for (const matrix of current) countMagnitudes(trellis, matrix, counts);
    model = fitSymbolModel(quantizers, counts, model);
    if (round === FIT_ROUNDS - 1) break;
    const costs = classCosts(symbolCosts(symbolTables(model)));
    current = current.map((matrix) => ({
      ...matrix,
      field: refineField(trellis, matrix, costs),
    }));
  }
  return { matrices: current, model: model! };
}
