/**
 * Which code has the roundest cells? Draws parity checks of systematic feedback codes of rate 1/2 and
 * ranks them by the squared error of uniform values, which is that of any smooth distribution at a
 * high rate. The best are measured again on ever more values.
 *
 *     deno run bench/trellis_codes.ts --states 1024 --candidates 4096
 *     deno run bench/trellis_codes.ts --states 4,8,16,32,64,128,256,1024,4096 --candidates 0
 *
 * The second measures the codes of the format alone. `--seed` draws other codes.
 */
import { readOptions } from "./support/command_line.ts";
import { granularError } from "./support/theory/granular_error.ts";
import { printTable } from "./support/theory/table.ts";
import { PARITY_CHECKS, type ParityChecks } from "../hierarchy/format/constants.ts";
import { createRandom } from "../kan/numeric/random.ts";

/** log2 of the values that codes are measured on, round by round, and the share that goes on. */
const ROUNDS = [12, 14, 16, 18, 20], KEPT = 1 / 8;
/** Codes that reach the last round at least. */
const FEWEST = 4;
/** Error of a ball of many dimensions with the volume of the cell of a scalar quantizer of step 2. */
const BALL = 4 / (2 * Math.PI * Math.E);

const args = readOptions({
  states: { type: "string", default: "1024" },
  candidates: { type: "string", default: "4096" },
  seed: { type: "string", default: "1" },
  last: { type: "string", default: `${ROUNDS.at(-1)}` },
});

/** A code whose h0 has its first and last bit and whose h1 has neither. */
function drawCode(states: number, random: () => number): ParityChecks {
  const inner = () => 2 * Math.floor(random() * states / 2);
  let h1 = 0;
  while (h1 === 0) h1 = inner();
  return [states | 1 | inner(), h1];
}

function search(states: number, count: number): { checks: ParityChecks; error: number }[] {
  const random = createRandom(Number(args.seed));
  const fixed = PARITY_CHECKS.get(states);
  let codes: ParityChecks[] = Array.from(
    { length: count },
    () => drawCode(states, () => random.uniform()),
  );
  if (fixed !== undefined) codes.unshift(fixed);
  let measured: { checks: ParityChecks; error: number }[] = [];
  for (
    const log2 of ROUNDS.filter((log2) =>
      count > 0 ? log2 <= Number(args.last) : log2 === Number(args.last)
    )
  ) {
    measured = codes.map((checks) => ({ checks, error: granularError(states, checks, 2 ** log2) }))
      .sort((a, b) => a.error - b.error);
    const kept = Math.max(FEWEST, Math.ceil(measured.length * KEPT));
    codes = measured.slice(0, kept).map(({ checks }) => checks);
    if (count > 0) {
      console.error(
        `${states} states, 2^${log2} values: best ${codes[0]!.map((h) => h.toString(8))}`,
      );
    }
  }
  return measured;
}

const rows = args.states.split(",").map(Number).flatMap((states) =>
  search(states, Number(args.candidates)).slice(0, FEWEST).map(({ checks, error }) => [
    `${states}`,
    ...checks.map((h) => h.toString(8)),
    error.toFixed(5),
    (10 * Math.log10(4 / 12 / error)).toFixed(3),
    (0.5 * Math.log2(error / BALL)).toFixed(4),
  ])
);
printTable(["states", "h0", "h1", "squared error", "gain, dB", "gap, bits"], rows);
