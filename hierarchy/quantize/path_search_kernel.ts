import { CLASS_COUNT } from "../format/constants.ts";
import { COSTED_MAGNITUDES } from "../entropy/symbol_costs.ts";
import { LARGEST_INDEX } from "./candidates.ts";
import { LONGEST_PATH, type PathSearch } from "./path_search.ts";
import { predecessors, type Trellis } from "../scan/trellis.ts";
import { CANDIDATES_WASM } from "../kernels/candidates_wasm.ts";
import { instantiateKernel } from "../kernels/instantiate.ts";
import { VITERBI_WASM } from "../kernels/viterbi_wasm.ts";

/** What candidates.as.ts and viterbi.as.ts export. */
interface SearchExports {
  findCandidates(
    count: number,
    targets: number,
    classes: number,
    classCount: number,
    costTable: number,
    rateWeight: number,
    largest: number,
    costs: number,
    indices: number,
  ): void;
  search(
    states: number,
    length: number,
    startState: number,
    metrics: number,
    predecessors: number,
    costs: number,
    candidates: number,
    indices: number,
    levels: number,
    decisions: number,
  ): number;
}

/** Floats of a cost table of both quantizers. */
const TABLE_LENGTH = 2 * CLASS_COUNT * COSTED_MAGNITUDES;

/** Where things stand in the kernel's memory. */
function layout(states: number) {
  // Address 0 stands for no table.
  let bytes = 16;
  const place = (size: number) => (bytes += size) - size;
  const starts = {
    costTable: place(4 * TABLE_LENGTH),
    metrics: place(8 * states),
    before: place(Math.max(16, 4 * states)),
    targets: place(4 * LONGEST_PATH),
    classes: place(LONGEST_PATH + 16),
    costs: place(16 * LONGEST_PATH),
    candidates: place(16 * LONGEST_PATH),
    found: place(4 * LONGEST_PATH),
    levels: place(4 * LONGEST_PATH),
    decisions: place(Math.max(1, states >> 3) * LONGEST_PATH),
  };
  return { ...starts, bytes };
}

/**
 * The path search of `createPathSearch` in WebAssembly SIMD, with the same results to the bit;
 * `undefined` if the platform lacks it. Uses 1.7 MB up to 256 states, 10 MB with 4096.
 */
export function createPathSearchKernel(trellis: Trellis): PathSearch | undefined {
  const { states } = trellis;
  const at = layout(states);
  const kernel = instantiateKernel<SearchExports>([CANDIDATES_WASM, VITERBI_WASM], at.bytes);
  if (kernel === undefined) return undefined;
  const { exports, memory: { buffer: memory } } = kernel;
  new Uint16Array(memory, at.before, 2 * states).set(predecessors(trellis));
  const targetBuffer = new Float32Array(memory, at.targets, LONGEST_PATH);
  const classes = new Uint8Array(memory, at.classes, LONGEST_PATH);
  const costTable = new Float32Array(memory, at.costTable, TABLE_LENGTH);
  const foundIndices = new Int32Array(memory, at.found, LONGEST_PATH);
  const foundLevels = new Float32Array(memory, at.levels, LONGEST_PATH);
  let loaded: Float32Array | undefined;
  return {
    costs: new Float32Array(memory, at.costs, 4 * LONGEST_PATH),
    candidates: new Int32Array(memory, at.candidates, 4 * LONGEST_PATH),
    prepare(targets, rate) {
      targetBuffer.set(targets);
      if (rate !== undefined) {
        if (rate.costs !== loaded) costTable.set(loaded = rate.costs);
        classes.set(rate.classes);
      }
      exports.findCandidates(
        targets.length,
        at.targets,
        at.classes,
        CLASS_COUNT,
        rate === undefined ? 0 : at.costTable,
        rate?.rateWeight ?? 0,
        LARGEST_INDEX,
        at.costs,
        at.candidates,
      );
    },
    find(startState, indices, levels) {
      const last = exports.search(
        states,
        indices.length,
        startState,
        at.metrics,
        at.before,
        at.costs,
        at.candidates,
        at.found,
        at.levels,
        at.decisions,
      );
      indices.set(foundIndices.subarray(0, indices.length));
      levels?.set(foundLevels.subarray(0, indices.length));
      return last;
    },
  };
}
