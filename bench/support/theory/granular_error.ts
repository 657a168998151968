import type { ParityChecks } from "../../../hierarchy/format/constants.ts";
import { instantiateKernel } from "../../../hierarchy/kernels/instantiate.ts";
import { VITERBI_WASM } from "../../../hierarchy/kernels/viterbi_wasm.ts";
import { predecessors, trellisOfCode } from "../../../hierarchy/scan/trellis.ts";
import { createRandom } from "../../../kan/numeric/random.ts";

/** Values that are searched as one path. */
const PATH = 1 << 12;
/** Where the values of each quantizer and parity lie, modulo four steps: 2 k and 2 k - 1. */
const COSETS = [0, 2, 3, 1];

interface Search {
  readonly states: number;
  readonly memory: ArrayBuffer;
  /** Searches the path of the costs in memory. */
  run(): void;
}

const BEFORE = 16;
/** Memory of the kernel by name, for a number of states. */
function layout(states: number) {
  const metrics = BEFORE + Math.max(16, 4 * states);
  const costs = metrics + 8 * states;
  const slots = costs + 16 * PATH;
  const found = slots + 16 * PATH;
  const levels = found + 4 * PATH;
  const decisions = levels + 4 * PATH;
  return {
    metrics,
    costs,
    slots,
    found,
    levels,
    decisions,
    bytes: decisions + PATH * Math.max(1, states >> 3),
  };
}

let current: Search | undefined;

function searchOf(states: number): Search {
  if (current?.states === states) return current;
  const at = layout(states);
  const kernel = instantiateKernel<{ search(...at: number[]): number }>([VITERBI_WASM], at.bytes);
  if (kernel === undefined) throw new Error("this platform does not run the kernels");
  const { exports, memory: { buffer } } = kernel;
  new Int32Array(buffer, at.slots, 4 * PATH).forEach((_, i, slots) => slots[i] = i);
  const { metrics, costs, slots, found, levels, decisions } = at;
  const run = () =>
    void exports.search(states, PATH, 0, metrics, BEFORE, costs, slots, found, levels, decisions);
  return current = { states, memory: buffer as ArrayBuffer, run };
}

/**
 * Mean squared error, in steps, of `count` values (a multiple of 4096) that are uniform over the four
 * steps after which a trellis repeats itself: what its code makes of any smooth distribution whose
 * spread is many steps. The same values for every code.
 */
export function granularError(states: number, checks: ParityChecks, count: number): number {
  const { memory, run } = searchOf(states);
  const at = layout(states);
  new Uint16Array(memory, BEFORE, 2 * states).set(predecessors(trellisOfCode(states, checks)));
  const costs = new Float32Array(memory, at.costs, 4 * PATH);
  const found = new Int32Array(memory, at.found, PATH);
  const random = createRandom(7);
  let sum = 0;
  for (let done = 0; done < count; done += PATH) {
    for (let i = 0; i < PATH; i++) {
      const value = 4 * random.uniform();
      for (let slot = 0; slot < 4; slot++) {
        const distance = Math.abs(value - COSETS[slot]!);
        costs[4 * i + slot] = Math.min(distance, 4 - distance) ** 2;
      }
    }
    run();
    for (let i = 0; i < PATH; i++) sum += costs[found[i]!]!;
  }
  return sum / count;
}
