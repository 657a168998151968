import { RansEncoder } from "../../hierarchy/entropy/rans.ts";
import { createRunDecoder, LONGEST_RUN } from "../../hierarchy/entropy/run_decoder.ts";
import { laplacianModel, symbolTables } from "../../hierarchy/entropy/symbol_model.ts";
import { putSymbol } from "../../hierarchy/entropy/symbol_table.ts";
import { createErrorFeedbackKernel } from "../../hierarchy/kernels/error_feedback_kernel.ts";
import { createPathSearchKernel } from "../../hierarchy/kernels/path_search_kernel.ts";
import { createRunDecoderKernel } from "../../hierarchy/kernels/run_decoder_kernel.ts";
import { addErrors, startFeedback } from "../../hierarchy/quantize/error_feedback.ts";
import { createPathSearch } from "../../hierarchy/quantize/path_search.ts";
import { createTrellis } from "../../hierarchy/quantize/trellis.ts";

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
  const add = make();
  const matrix = { name: "w", rows: 40, columns: 21, data: noise(840) };
  const state = startFeedback(matrix, {
    rowWeights: new Float64Array(40).fill(1),
    columnWeights: new Float64Array(21).fill(1),
    feedback: noise(40 * 39 / 2),
  });
  state.errors.set(noise(840));
  add?.(state, [1, 18], [19, 40]);
  return add && [...state.targets];
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
  const decoder = make(trellis, tables);
  decoder?.start(encoder.finish());
  decoder?.classes.fill(40);
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
  return [search(createPathSearch), feedBack(() => addErrors), decode(createRunDecoder)];
}
