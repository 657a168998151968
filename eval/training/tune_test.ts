import assert from "node:assert";
import { holdOut } from "./hold_out.ts";
import { layOut } from "./parameter_vector.ts";
import { arraysOf, mapTrainables } from "./trainables.ts";
import type { Trainables, Trainer } from "./trainer.ts";
import { tune, type TuneOptions, type TuneState } from "./tune.ts";

const start: Trainables = {
  gains: new Map([
    ["coded", { rows: Float32Array.of(1, 1, 1), columns: Float32Array.of(1, 1) }],
    ["verbatim", { rows: Float32Array.of(1, 1), columns: Float32Array.of(1, 1) }],
  ]),
  vectors: new Map([
    ["norm", Float32Array.of(30, 40)],
    ["zeros", Float32Array.of(0, 0)],
  ]),
};
const best = [[1.02, 0.97, 1], [1.01, 0.99], [9, 9], [9, 9], [31, 40], [1, 1]];
const chunk = (token: number) => Int32Array.of(token, token, token, token);
const chunks = Array.from({ length: 9 }, (_, i) => chunk(i));
const heldOut = [chunk(100)];

/** A loss whose least point is known: squared distances, those of vectors in their own units. */
function quadraticTrainer(seen: number[] = []): Trainer {
  const distances = (at: Trainables) =>
    arraysOf(at).map((values, i) => values.map((value, j) => value - best[i]![j]!));
  const loss = (at: Trainables) =>
    distances(at).reduce((sum, d) => sum + d.reduce((s, x) => s + x * x, 0), 0);
  return {
    step(chunks, at) {
      seen.push(...chunks.map(([token]) => token!));
      const found = distances(at);
      let number = 0;
      const gradients = mapTrainables(at, () => found[number++]!.map((x) => 2 * x));
      return Promise.resolve({ loss: loss(at), gradients });
    },
    loss: (_, at) => Promise.resolve(loss(at)),
    close: () => Promise.resolve(),
  };
}

function options(more: Partial<TuneOptions> = {}): TuneOptions {
  const layout = layOut(start, new Set(["coded"]));
  const trainer = quadraticTrainer();
  return { trainer, start, layout, chunks, heldOut, steps: 80, tokensPerStep: 8, ...more };
}

Deno.test("tuning comes near the least loss, and leaves what is frozen", async () => {
  const { values, step, before, after, points } = await tune(options());
  const { rows, columns } = values.gains.get("coded")!;
  [...rows, ...columns].forEach((gain, i) => {
    assert.ok(Math.abs(gain - [1.02, 0.97, 1, 1.01, 0.99][i]!) < 0.005, `${gain}`);
  });
  // A step of a vector is a share of its size: 1 of a size of 35 is about .03.
  assert.ok(Math.abs(values.vectors.get("norm")![0]! - 31) < 0.2);
  assert.deepEqual(values.gains.get("verbatim"), start.gains.get("verbatim"));
  assert.deepEqual(values.vectors.get("zeros"), start.vectors.get("zeros"));
  assert.ok(after < before && step > 40);
  assert.equal(points[0]!.loss, before);
  assert.equal(points.find((point) => point.step === step)!.loss, after);
});

Deno.test("steps see all chunks in turn, in an order that the seed gives", async () => {
  const seenWith = async (seed: number) => {
    const seen: number[] = [];
    await tune(options({ trainer: quadraticTrainer(seen), steps: 9, seed }));
    return seen;
  };
  const seen = await seenWith(3);
  assert.equal(seen.length, 18);
  assert.deepEqual(seen.slice(0, 9).toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(await seenWith(3), seen);
  assert.notDeepEqual(await seenWith(4), seen);
});

Deno.test("a run that is stopped and resumed ends as one that was not", async () => {
  const whole = await tune(options());
  let kept: TuneState | undefined;
  const stop = new AbortController();
  const first = tune(options({
    onState: (state) => Promise.resolve(void (kept = state)),
    onProgress: (step) => step === 30 && stop.abort(new Error("enough")),
    signal: stop.signal,
  }));
  await assert.rejects(first, /enough/);
  assert.equal(kept!.adam.step, 28);
  assert.deepEqual(await tune(options({ state: kept! })), whole);
});

Deno.test("tuning that makes held-out text worse ends early and keeps the start", async () => {
  let judged = 0;
  const trainer = { ...quadraticTrainer(), loss: () => Promise.resolve(++judged) };
  const steps: number[] = [];
  const onProgress = (step: number) => steps.push(step);
  const { values, step, before, after } = await tune(options({ trainer, onProgress }));
  assert.deepEqual([step, before, after], [0, 1, 1]);
  assert.deepEqual(values, start);
  assert.ok(steps.length < 40, `${steps.length} steps`);
});

Deno.test("what is judged is what a file would hold", async () => {
  const round = (values: Trainables) => mapTrainables(values, (x) => x.map(Math.round));
  const { values } = await tune(options({ round }));
  for (const array of arraysOf(values)) assert.ok(array.every(Number.isInteger));
});

Deno.test("an eighth of the chunks is held out, spread over the text", () => {
  const all = Array.from({ length: 40 }, (_, i) => chunk(i));
  const { chunks, heldOut } = holdOut(all);
  assert.deepEqual(heldOut.map(([token]) => token), [4, 12, 20, 28, 36]);
  assert.equal(chunks.length, 35);
  assert.deepEqual(holdOut(all.slice(0, 2)).heldOut.length, 1);
  const long = Array.from({ length: 40 }, () => new Int32Array(4096));
  assert.equal(holdOut(long).heldOut.length, 2);
});
