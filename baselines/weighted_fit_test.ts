import assert from "node:assert";
import { createRandom } from "../kan/numeric/random.ts";
import { fitScale, fitScaleAndOffset } from "./weighted_fit.ts";

/** Every assignment of integers from `low` to `high` to `count` values. */
function* assignments(count: number, low: number, high: number): Generator<number[]> {
  const integers = new Array<number>(count).fill(low);
  for (;;) {
    yield integers;
    let i = 0;
    while (i < count && integers[i] === high) integers[i++] = low;
    if (i === count) return;
    integers[i]!++;
  }
}

function draw(count: number, seed: number) {
  const random = createRandom(seed);
  const values = Float64Array.from({ length: count }, () => random.normal());
  const weights = Float64Array.from({ length: count }, () => 0.1 + random.uniform());
  return { values, weights };
}

const weightedError = (x: Float64Array, w: Float64Array, at: (i: number) => number) =>
  x.reduce((sum, value, i) => sum + w[i]! * (value - at(i)) ** 2, 0);

Deno.test("fitScale() comes near to the best of all assignments of integers", () => {
  let excess = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { values, weights } = draw(5, seed);
    let best = Infinity;
    for (const integers of assignments(5, -2, 1)) {
      const cross = integers.reduce((sum, q, i) => sum + weights[i]! * values[i]! * q, 0);
      const square = integers.reduce((sum, q, i) => sum + weights[i]! * q * q, 0);
      const scale = square > 0 ? cross / square : 0;
      best = Math.min(best, weightedError(values, weights, (i) => scale * integers[i]!));
    }
    const { scale, integers } = fitScale(values, weights, -2, 1);
    const error = weightedError(values, weights, (i) => scale * integers[i]!);
    assert.ok(error >= best - 1e-12);
    excess += error / best / 60;
  }
  assert.ok(excess < 1.05, `${excess} of the best error`);
});

Deno.test("fitScaleAndOffset() comes near to the best of all assignments of integers", () => {
  let found = 0, least = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { values, weights } = draw(6, seed);
    let best = Infinity;
    for (const integers of assignments(6, 0, 3)) {
      const sum = (at: (i: number) => number) => weights.reduce((s, w, i) => s + w * at(i), 0);
      const w = sum(() => 1), wl = sum((i) => integers[i]!), wll = sum((i) => integers[i]! ** 2);
      const wx = sum((i) => values[i]!), wxl = sum((i) => values[i]! * integers[i]!);
      const determinant = w * wll - wl * wl;
      if (determinant < 1e-9) continue;
      let scale = (w * wxl - wl * wx) / determinant, offset = (wll * wx - wl * wxl) / determinant;
      if (offset > 0) [scale, offset] = [wxl / wll, 0];
      if (scale <= 0) continue;
      best = Math.min(best, weightedError(values, weights, (i) => scale * integers[i]! + offset));
    }
    const { scale, offset, integers } = fitScaleAndOffset(values, weights, 3);
    assert.ok(offset <= 0);
    const error = weightedError(values, weights, (i) => scale * integers[i]! + offset);
    assert.ok(error >= best - 1e-12);
    found += error;
    least += best;
  }
  assert.ok(found < 1.1 * least, `${found / least} of the best error`);
});

Deno.test("values that are all equal are fitted exactly or by zero", () => {
  const weights = new Float64Array(4).fill(1);
  assert.equal(fitScale(new Float64Array(4), weights, -8, 7).scale, 0);
  const negative = fitScaleAndOffset(new Float64Array(4).fill(-2), weights, 15);
  assert.equal(negative.scale * negative.integers[0]! + negative.offset, -2);
  const positive = fitScaleAndOffset(new Float64Array(4).fill(2), weights, 15);
  assert.ok(Math.abs(positive.scale * positive.integers[0]! + positive.offset - 2) < 1e-12);
});
