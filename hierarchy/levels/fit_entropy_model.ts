import { quantizersOf } from "../scan/trellis.ts";
import type { CountedMatrix } from "../workers/coding_tasks.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import type { RunTasks } from "../workers/task_runner.ts";
import { classCosts } from "../entropy/class_costs.ts";
import { emptyCounts, fitSymbolModel, type MagnitudeCounts } from "../entropy/fit_symbol_model.ts";
import type { IndexMatrix } from "../entropy/index_matrix.ts";
import { symbolCosts } from "../entropy/symbol_costs.ts";
import { type SymbolModel, symbolTables } from "../entropy/symbol_model.ts";

/** Rounds of fitting the two layers of the entropy model in turn. */
const FIT_ROUNDS = 3;

/** Both layers of an entropy model: the fields stand with the matrices. */
export interface EntropyModelFit {
  /** The matrices with their fields. */
  readonly matrices: readonly IndexMatrix[];
  /** The symbol model of all matrices. */
  readonly model: SymbolModel;
}

/** How {@linkcode fitEntropyModel} begins, is watched and stopped. */
export interface FitOptions {
  /** Where the fit of the symbol model begins, if not anew. */
  readonly start?: SymbolModel | undefined;
  /** Called with the share that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fits fields and symbol model in turn, by maximum likelihood of the indices, from the matrices'
 * own fields and `start`.
 */
export async function fitEntropyModel(
  states: number,
  matrices: readonly CountedMatrix[],
  run: RunTasks,
  { start, onProgress, signal }: FitOptions = {},
): Promise<EntropyModelFit> {
  const quantizers = quantizersOf({ states });
  let current = matrices;
  let model = fitSymbolModel(quantizers, sumCounts(quantizers, current), start);
  for (let round = 1; round < FIT_ROUNDS; round++) {
    const costs = classCosts(symbolCosts(symbolTables(model)));
    const shared = { bits: shareFloat32Array(costs.bits) };
    const tasks = current.map((matrix) => ({ states, matrix, costs: shared }));
    const before = round - 1;
    current = await run("refine", tasks, {
      onDone: (done) => onProgress?.((before + done / tasks.length) / (FIT_ROUNDS - 1)),
      ...(signal && { signal }),
    });
    model = fitSymbolModel(quantizers, sumCounts(quantizers, current), model);
  }
  return { matrices: current, model };
}

function sumCounts(quantizers: 1 | 2, matrices: readonly CountedMatrix[]): MagnitudeCounts {
  const sum = emptyCounts(quantizers);
  for (const { counts } of matrices) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + counts[i]!;
  }
  return sum;
}
