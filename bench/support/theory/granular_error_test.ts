import assert from "node:assert";
import { PARITY_CHECKS } from "../../../hierarchy/format/constants.ts";
import { quantizeRun } from "../../../hierarchy/quantize/viterbi.ts";
import { createTrellis, reconstruct } from "../../../hierarchy/scan/trellis.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { granularError } from "./granular_error.ts";

Deno.test("the error of uniform values is that of wide normal values as they are coded", () => {
  const trellis = createTrellis(64);
  const random = createRandom(5);
  const targets = Float32Array.from({ length: 1 << 16 }, () => 200 * random.normal());
  const indices = new Int32Array(targets.length);
  quantizeRun(trellis, targets, 0, indices);
  let state = 0, sum = 0;
  indices.forEach((k, i) => {
    sum += (targets[i]! - reconstruct(trellis, state & 1, k)) ** 2;
    state = trellis.transitions[2 * state + (k & 1)]!;
  });
  const error = granularError(64, PARITY_CHECKS.get(64)!, 1 << 16);
  assert.ok(Math.abs(error - sum / targets.length) < 0.003, `${error}, ${sum / targets.length}`);
});

Deno.test("codes have the gains that are known of trellis-coded quantization", () => {
  // Marcellin and Fischer 1990, of a uniform source: 0.99, 1.09, 1.16, 1.22, 1.27 and 1.33 dB.
  for (
    const [states, gain] of [[4, 0.99], [8, 1.09], [16, 1.16], [32, 1.22], [64, 1.27], [256, 1.33]]
  ) {
    const error = granularError(states!, PARITY_CHECKS.get(states!)!, 1 << 16);
    const measured = 10 * Math.log10(1 / 3 / error);
    assert.ok(Math.abs(measured - gain!) < 0.03, `${states} states: ${measured} dB`);
  }
});

Deno.test("more states have rounder cells", () => {
  const errors = Array.from(
    PARITY_CHECKS,
    ([states, checks]) => granularError(states, checks, 1 << 14),
  );
  assert.deepEqual(errors, errors.toSorted((a, b) => b - a));
});
