import { UNIT_CLASS } from "../../hierarchy/format/constants.ts";
import { RansEncoder } from "../../hierarchy/entropy/rans.ts";
import { createRunDecoder, LONGEST_RUN } from "../../hierarchy/entropy/run_decoder.ts";
import { laplacianModel, symbolTables } from "../../hierarchy/entropy/symbol_model.ts";
import { putSymbol } from "../../hierarchy/entropy/symbol_table.ts";
import { createErrorFeedbackKernel } from "../../hierarchy/quantize/error_feedback_kernel.ts";
import { createPathSearchKernel } from "../../hierarchy/quantize/path_search_kernel.ts";
import { createRunDecoderKernel } from "../../hierarchy/entropy/run_decoder_kernel.ts";
import { diagonalCount, diagonalOf } from "../../hierarchy/scan/diagonals.ts";
import { passOn, readTargets, startFeedback } from "../../hierarchy/quantize/error_feedback.ts";
import { feedbackOperations } from "../../hierarchy/quantize/feedback_operations.ts";
import { createPathSearch } from "../../hierarchy/quantize/path_search.ts";
import { createTrellis } from "../../hierarchy/scan/trellis.ts";

/** Numbers that need no library and are the same on every platform. */
function noise(length: number): Float32Array {
  let state = 12345;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const trellis = createTrellis(8);

function search(make: typeof createPathSearchKernel): number[] | undefined {
  const found = make(trellis);
  if (found === undefined) return undefined;
  found.costs.set(noise(4000).map((value) => value * value));
  found.candidates.set(Int32Array.from({ length: 4000 }, (_, i) => i));
  const indices = new Int32Array(1000);
  return [found.find(3, indices), ...indices];
}

function feedBack(make: typeof createErrorFeedbackKernel): number[] | undefined {
  const operations = make();
  if (operations === undefined) return undefined;
  const size = { rows: 70, columns: 45 };
  const matrix = { name: "w", ...size, data: noise(70 * 45).map((value) => 4 * value) };
  const feedback = startFeedback(matrix, {
    rowWeights: new Float64Array(70).fill(1),
    columnWeights: new Float64Array(45).fill(1),
    feedback: noise(70 * 69 / 2).map((value) => value / 8),
    columnBlocks: [{ start: 0, size: 45, feedback: noise(45 * 44 / 2).map((v) => v / 8) }],
  }, operations);
  const all: number[] = [];
  for (let number = 0; number < diagonalCount(size); number++) {
    const diagonal = diagonalOf(size, number);
    const targets = new Float32Array(diagonal.length);
    readTargets(feedback, diagonal, targets);
    passOn(feedback, diagonal, targets.map(Math.round));
    all.push(...targets);
  }
  return all;
}

function decode(make: typeof createRunDecoderKernel): number[] | undefined {
  const tables = symbolTables(laplacianModel(2));
  const encoder = new RansEncoder();
  let state = 0;
  for (const value of noise(LONGEST_RUN)) {
    const k = Math.round(20 * value ** 3);
    putSymbol(encoder, tables[state & 1]![40]!, k);
    state = trellis.transitions[2 * state + (k & 1)]!;
  }
  const decoder = make(trellis, tables, 2 * LONGEST_RUN);
  // Sums of two halve to class 40.
  const field = new Int32Array(LONGEST_RUN).fill(40 - UNIT_CLASS);
  decoder?.start(encoder.finish());
  decoder?.setScales({ rows: field, columns: field });
  decoder?.classify({ row: 0, column: LONGEST_RUN - 1, length: LONGEST_RUN }, 0);
  return decoder && [decoder.decode(LONGEST_RUN, 0), ...decoder.levels, ...decoder.indices];
}

/** What the kernels give, undefined where one cannot run. */
export function kernelResults(): (number[] | undefined)[] {
  return [
    search(createPathSearchKernel),
    feedBack(createErrorFeedbackKernel),
    decode(createRunDecoderKernel),
  ];
}

/** What the TypeScript references give. */
export function referenceResults(): (number[] | undefined)[] {
  return [search(createPathSearch), feedBack(() => feedbackOperations), decode(createRunDecoder)];
}
