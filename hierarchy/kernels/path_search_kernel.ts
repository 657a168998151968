import { LONGEST_PATH, type PathSearch } from "../quantize/path_search.ts";
import { predecessors, type Trellis } from "../quantize/trellis.ts";
import { instantiateKernel } from "./instantiate.ts";
import { VITERBI_WASM } from "./viterbi_wasm.ts";

/** What viterbi.as.ts exports. */
interface ViterbiExports {
  search(
    states: number,
    length: number,
    startState: number,
    metrics: number,
    predecessors: number,
    costs: number,
    candidates: number,
    indices: number,
    decisions: number,
  ): number;
}

/**
 * The path search of `createPathSearch` in WebAssembly SIMD, with the same results to the bit;
 * `undefined` where the platform lacks it. Uses 1.2 MB at most.
 */
export function createPathSearchKernel(trellis: Trellis): PathSearch | undefined {
  const { states } = trellis;
  const metrics = 0;
  const before = metrics + 8 * states;
  const costs = before + Math.max(16, 2 * states);
  const candidates = costs + 16 * LONGEST_PATH;
  const found = candidates + 16 * LONGEST_PATH;
  const decisions = found + 4 * LONGEST_PATH;
  const bytes = decisions + Math.max(1, states >> 3) * LONGEST_PATH;
  const kernel = instantiateKernel<ViterbiExports>(VITERBI_WASM, bytes);
  if (kernel === undefined) return undefined;
  const { exports, memory } = kernel;
  new Uint8Array(memory, before).set(predecessors(trellis));
  const foundIndices = new Int32Array(memory, found, LONGEST_PATH);
  return {
    costs: new Float32Array(memory, costs, 4 * LONGEST_PATH),
    candidates: new Int32Array(memory, candidates, 4 * LONGEST_PATH),
    find(startState, indices) {
      const last = exports.search(
        states,
        indices.length,
        startState,
        metrics,
        before,
        costs,
        candidates,
        found,
        decisions,
      );
      indices.set(foundIndices.subarray(0, indices.length));
      return last;
    },
  };
}
