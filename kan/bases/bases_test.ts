import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import { gridFromBreaks, gridFromKnots, uniformGrid } from "./grid.ts";
import type { Basis } from "./basis.ts";
import {
  evaluateBasis,
  evaluatePoints,
  evaluatePointsFast,
  functionsOf,
} from "./evaluate_basis.ts";
import { createRandom } from "../numeric/random.ts";
import { createBsplines } from "./bspline.ts";
import { basisFromDescription } from "./describe.ts";
import { expandBasis } from "./expansion.ts";
import {
  createChebyshev,
  createFourier,
  createGaussians,
  createMexicanHats,
  createRationals,
} from "./global_bases.ts";

const grid = uniformGrid({ intervals: 5, order: 3, range: [-1, 1] });
const uneven = gridFromKnots([-2, -1.5, -1.2, -0.4, 0.1, 0.9, 1.6, 2], 2);
const bases: Record<string, Basis> = {
  "B-splines, clamped": createBsplines(grid, "clamp"),
  "B-splines, carried on linearly": createBsplines(grid, "linear"),
  "B-splines, fading": createBsplines(grid, "zero"),
  "quadratic B-splines on uneven knots": createBsplines(uneven, "clamp"),
  "order-5 B-splines": createBsplines(uniformGrid({ intervals: 4, order: 5 })),
  "Gaussians": createGaussians(),
  "clamped Gaussians": createGaussians({ range: [-1, 1], extrapolation: "clamp" }),
  "Mexican hats": createMexicanHats({ count: 5 }),
  "Chebyshev": createChebyshev(4),
  "Fourier": createFourier(3, 4),
  "rational": createRationals(),
  "rational with a kink": createRationals({ degree: 2, denominator: [0.7, -0.5] }),
};
const points = [-1.93, -1.31, -0.73, -0.37, 0.05, 0.53, 0.86, 1.17, 1.75, 2.9];

function values(basis: Basis, x: number, derivative: number): Float64Array {
  const local = new Float64Array(basis.support);
  const all = new Float64Array(basis.size);
  const first = evaluateBasis(basis, x, derivative, local);
  all.set(local, first);
  return all;
}

for (const [name, basis] of Object.entries(bases)) {
  Deno.test(`${name}: each derivative is the slope of the one before`, () => {
    const step = 1e-5;
    for (const x of points) {
      for (const derivative of [1, 2]) {
        const above = values(basis, x + step, derivative - 1);
        const below = values(basis, x - step, derivative - 1);
        values(basis, x, derivative).forEach((slope, i) => {
          const difference = (above[i]! - below[i]!) / (2 * step);
          assert.ok(Math.abs(slope - difference) < 1e-6 * (1 + Math.abs(slope)), `${x} ${i}`);
        });
      }
    }
  });

  Deno.test(`${name}: a description makes the same basis`, () => {
    const json = JSON.parse(JSON.stringify(basis.description));
    const copy = basisFromDescription(json);
    assert.deepEqual(copy.description, basis.description);
    assert.deepEqual(values(copy, 0.3, 0), values(basis, 0.3, 0));
  });

  Deno.test(`${name}: values and slopes of many points are those of each`, () => {
    const outside = basis.extrapolation === "error" ? [] : [-5, -2.5, 3, 7];
    const all = Float64Array.from([...points, -1, 1, ...outside]);
    const { first, values: together, slopes } = evaluatePoints([basis], all, true);
    const { values: alone } = evaluatePoints([basis], all, false);
    const { support } = basis;
    all.forEach((x, p) => {
      const local = new Float64Array(support);
      for (const [derivative, row] of [[0, together], [0, alone], [1, slopes]] as const) {
        assert.equal(evaluateBasis(basis, x, derivative, local), first[p]);
        assert.deepEqual(row.slice(p * support, (p + 1) * support), local);
      }
    });
  });

  Deno.test(`${name} can be sent to a worker`, () => {
    const copy = structuredClone(basis);
    assert.deepEqual(copy, basis);
    assert.deepEqual(values(copy, 0.3, 1), values(basis, 0.3, 1));
  });

  for (const backend of ["cpu", "wasm"]) {
    Deno.test(`${name} on ${backend}: expansion, slope and curvature agree with float64`, async () => {
      await tf.setBackend(backend);
      const x = tf.tensor2d(points, [points.length, 1]);
      const weights = Array.from({ length: basis.size }, (_, i) => Math.cos(2 * i + 1));
      const curve = (input: tf.Tensor) =>
        expandBasis([basis], input as tf.Tensor2D).mul(tf.tensor1d(weights)).sum(2);
      const slope = tf.grad(curve), curvature = tf.grad((input) => tf.grad(curve)(input));
      const rows = [curve(x), slope(x), curvature(x)].map((tensor) => tensor.dataSync());
      rows.forEach((row, derivative) => {
        points.forEach((point, p) => {
          // As the tensor has it, so that both sides are at the same point.
          const expected = values(basis, Math.fround(point), derivative)
            .reduce((sum, value, i) => sum + value * weights[i]!, 0);
          const tolerance = 2e-5 * (1 + Math.abs(expected));
          assert.ok(Math.abs(row[p]! - expected) < tolerance, `${point}: ${row[p]} ${expected}`);
        });
      });
    });
  }

  // What WebGPU runs: no B-spline is read back from the device.
  Deno.test(`${name}: tfjs operators alone give the float64 values, ends included`, async () => {
    await tf.setBackend("wasm");
    const all = [...points, -1, 1, 0.25];
    for (const derivative of [0, 1, 2]) {
      const tensor = functionsOf(basis).expand(tf.tensor1d(all), derivative).dataSync();
      all.forEach((x, p) => {
        const local = new Float64Array(basis.support);
        const expected = new Float64Array(basis.size);
        const first = functionsOf(basis).evaluate(Math.fround(x), derivative, local);
        expected.set(local, first);
        expected.forEach((value, i) => {
          const actual = tensor[p * basis.size + i]!;
          assert.ok(Math.abs(actual - value) < 5e-5 * (1 + Math.abs(value)), `${x} ${derivative}`);
        });
      });
    }
  });
}

Deno.test("closed forms: Gaussians, Mexican hats, Chebyshev, Fourier and rationals", () => {
  const x = 0.6;
  const close = (actual: number | undefined, expected: number) =>
    assert.ok(Math.abs(actual! - expected) < 1e-14, `${actual} ${expected}`);
  close(values(createGaussians(), x, 0)[4], Math.exp(-(((x - 2 / 7) / (4 / 7)) ** 2)));
  const hat = values(createMexicanHats({ count: 3, range: [-1, 1], width: 0.5 }), x, 0)[2];
  const u = (x - 1) / 0.5;
  close(hat, 2 / (Math.sqrt(3) * Math.PI ** 0.25) * (1 - u * u) * Math.exp(-u * u / 2));
  values(createChebyshev(5), x, 0).forEach((value, n) => {
    close(value, Math.cos(n * Math.acos(Math.tanh(x))));
  });
  const waves = values(createFourier(2, 3), x, 0);
  const phase = 2 * Math.PI * x / 3;
  [1, Math.cos(phase), Math.sin(phase), Math.cos(2 * phase), Math.sin(2 * phase)]
    .forEach((expected, i) => close(waves[i], expected));
  close(values(createRationals({ degree: 3, denominator: [-1, 0.5] }), x, 0)[2], 0.36 / 1.42);
});

Deno.test("extrapolation: linear goes on straight, error throws on every backend", async () => {
  const linear = createBsplines(grid, "linear");
  const [one, two, three] = [1, 2, 3].map((x) => values(linear, x, 0));
  one!.forEach((value, i) => {
    assert.ok(Math.abs(value - 2 * two![i]! + three![i]!) < 1e-12);
  });
  const strict = createBsplines(grid, "error");
  assert.throws(() => values(strict, 1.01, 0), /outside the domain/);
  assert.ok(values(strict, 1, 0)[7]! > 0);
  await tf.setBackend("wasm");
  assert.throws(() => expandBasis([strict], tf.tensor2d([[1.5]])), /outside the domain/);
  const gaussians = createGaussians({ extrapolation: "error" });
  assert.throws(() => expandBasis([gaussians], tf.tensor2d([[2.5]])), /outside the domain/);
});

Deno.test("bases refuse impossible options", () => {
  assert.throws(() => createGaussians({ count: 1 }), /count/);
  assert.throws(() => createGaussians({ width: 0 }), /width/);
  assert.throws(() => createMexicanHats({ range: [1, 0] }), /range/);
  assert.throws(() => createChebyshev(-1), /degree/);
  assert.throws(() => createFourier(0), /frequencies/);
  assert.throws(() => createFourier(1, -2), /period/);
  assert.throws(() => createRationals({ denominator: [NaN] }), /denominator/);
});

Deno.test("one basis for each input expands like each basis alone", async () => {
  await tf.setBackend("wasm");
  const two = [
    bases["B-splines, clamped"]!,
    createBsplines(uniformGrid({ intervals: 5, range: [0, 3] })),
  ];
  const expansion = expandBasis(two, tf.tensor2d([[0.25, 0.25], [0.75, 2.5]])).arraySync();
  expansion.forEach((row, sample) => {
    row.forEach((actual, input) => {
      const x = [[0.25, 0.25], [0.75, 2.5]][sample]![input]!;
      values(two[input]!, x, 0).forEach((value, i) =>
        assert.ok(Math.abs(actual[i]! - value) < 1e-6)
      );
    });
  });
  assert.throws(() => expandBasis(two, tf.tensor2d([[1, 2, 3]])), /1 or 3 bases/);
});

for (const extrapolation of ["linear", "clamp"] as const) {
  Deno.test(`the kernel gives cubic splines, ${extrapolation}, bit for bit as float64 does`, () => {
    const random = createRandom(5);
    const draw = () => Array.from({ length: 6 }, () => random.normal()).sort((a, b) => a - b);
    const uneven = Array.from({ length: 3 }, () => gridFromBreaks(draw(), 3));
    const repeated = gridFromBreaks([-1, -1, 0.2, 0.2, 1, 1], 3);
    for (const grids of [[uniformGrid({ intervals: 5 })], uneven, [...uneven.slice(1), repeated]]) {
      const bases = grids.map((grid) => createBsplines(grid, extrapolation));
      const points = Float64Array.from({ length: 300 }, () => 1.5 * random.normal());
      points.set([
        NaN,
        Infinity,
        -Infinity,
        -1,
        1,
        0.2,
        ...uneven.flatMap(({ knots }) => knots.slice(3, 9)),
      ]);
      for (const wantsSlopes of [false, true]) {
        const fast = evaluatePointsFast(bases, points, 3, wantsSlopes);
        const plain = evaluatePoints(bases, points, wantsSlopes);
        assert.deepEqual(fast.first, plain.first);
        for (const name of ["values", "slopes"] as const) {
          assert.equal(fast[name].length, plain[name].length);
          assert.ok(plain[name].every((value, i) => Object.is(value, fast[name][i])), name);
        }
      }
      // At a knot that float32 does not hold, the next splines are not 0.
      const between = Float32Array.from(points.subarray(30));
      const single = evaluatePointsFast(bases, between, 3, true);
      const exact = evaluatePoints(bases, between, true);
      assert.ok(single.values instanceof Float32Array);
      for (const name of ["values", "slopes"] as const) {
        const scale = Math.max(...exact[name].map(Math.abs));
        exact[name].forEach((value, i) => {
          assert.ok(Math.abs(single[name][i]! - value) < 2e-6 * scale, `${name} ${i}`);
        });
      }
    }
  });
}
