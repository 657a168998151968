import assert from "node:assert";
import fc from "fast-check";
import { searchBelow, type SearchOptions } from "./search_below.ts";

const options: SearchOptions<number> = {
  first: 0,
  range: [-20, 20],
  most: 0,
  least: 0,
  slope: 1,
  resolution: 1e-9,
};

Deno.test("searchBelow() comes near any target from below, of any growing function", async () => {
  await fc.assert(fc.asyncProperty(
    fc.double({ min: -10, max: 10, noNaN: true }),
    fc.double({ min: -15, max: 15, noNaN: true }),
    fc.double({ min: 0.2, max: 5, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    async (root, first, steepness, bend) => {
      const f = (x: number) => steepness * (x - root) + bend * Math.expm1((x - root) / 8);
      const tried: number[] = [];
      const { best } = await searchBelow((x) => {
        tried.push(x);
        return Promise.resolve({ value: f(x), made: x });
      }, { ...options, first, least: -0.01 });
      assert.ok(best!.value <= 0 && best!.value >= -0.01, `${best?.value}`);
      assert.equal(best!.value, f(best!.made));
      assert.ok(tried.length <= 12, `${tried}`);
      assert.equal(new Set(tried).size, tried.length);
    },
  ));
});

Deno.test("searchBelow() of a function in steps ends at the last step below", async () => {
  const run = (x: number) => Promise.resolve({ value: Math.floor(x), made: x });
  const { best } = await searchBelow(run, { ...options, most: 3.5, least: 3.4, resolution: 0.01 });
  assert.equal(best!.value, 3);
  assert.ok(best!.made >= 3 && best!.made < 4);
});

Deno.test("searchBelow() tells the smallest where the target is out of reach", async () => {
  const run = (x: number) => Promise.resolve({ value: 5 + Math.exp(x), made: x });
  const { best, smallest } = await searchBelow(run, { ...options, most: 4, least: 3 });
  assert.equal(best, undefined);
  assert.equal(smallest.made, -20);
});

Deno.test("searchBelow() gives the end of the range where nothing reaches the target", async () => {
  const run = (x: number) => Promise.resolve({ value: -Math.exp(-x), made: x });
  const { best } = await searchBelow(run, { ...options, most: 4, least: 3 });
  assert.equal(best!.made, 20);
});

Deno.test("searchBelow() finds a way among jumps up and down", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.double({ min: -5, max: 5, noNaN: true }),
      async (seed, root) => {
        // As the divergence of a small model: a line with noise as wide as what is looked for.
        const jump = (x: number) => Math.sin(1e6 * x + seed) / 20;
        const run = (x: number) => Promise.resolve({ value: x - root + jump(x), made: x });
        const { best } = await searchBelow(run, { ...options, least: -0.05, resolution: 1e-4 });
        assert.ok(best!.value <= 0 && best!.value > -0.2, `${best!.value}`);
      },
    ),
  );
});

Deno.test("searchBelow() reaches the end over a plain, and tries the lowest before it gives up", async () => {
  // Above or below all the way, with a slope that promises more than there is.
  for (const [value, most] of [[2, 4], [6, 4]] as const) {
    const tried: number[] = [];
    const run = (x: number) => {
      tried.push(x);
      return Promise.resolve({ value: value + x / 1e4, made: x });
    };
    const { best, smallest } = await searchBelow(run, {
      ...options,
      range: [-1000, 1000],
      most,
      least: most - 0.1,
    });
    assert.equal(best?.made, value < most ? 1000 : undefined);
    assert.equal(smallest.made, value < most ? tried[0] : -1000);
    assert.ok(tried.length < 20, `${tried.length}`);
  }
  // Only the lowest end is below: a jump that no slope tells of.
  const run = (x: number) => Promise.resolve({ value: x > -1e3 ? 6 : 3, made: x });
  const { best } = await searchBelow(run, { ...options, range: [-1e3, 1e3], most: 4, least: 3.9 });
  assert.equal(best?.made, -1e3);
});

Deno.test("searchBelow() takes of those that meet the target the one that is preferred", async () => {
  // The cost falls where the value does not grow.
  const run = (x: number) => Promise.resolve({ value: Math.floor(x), made: x });
  const { best } = await searchBelow(run, {
    ...options,
    most: 3.5,
    least: 3.4,
    resolution: 0.01,
    prefers: (trial, other) => trial.made < other.made,
  });
  assert.ok(best!.made <= 0, `${best!.made}`);
});
