import assert from "node:assert";
import { UNIT_CLASS } from "../../../hierarchy/format/constants.ts";
import { emptyCounts, MAGNITUDES } from "../../../hierarchy/entropy/fit_symbol_model.ts";
import {
  DENSITY_FAMILIES,
  densityTables,
  firstDensity,
  fitDensity,
  survival,
} from "./density_family.ts";

const family = (name: string) => DENSITY_FAMILIES.find((other) => other.name === name)!;

Deno.test("integrals of densities are those of closed forms", () => {
  const closed: [name: string, parameter: number, beyond: (u: number) => number][] = [
    ["Laplacian", 1, (u) => Math.exp(-u) / 2],
    ["generalised Gaussian", 1, (u) => Math.exp(-u) / 2],
    ["logistic", 1, (u) => 1 / (1 + Math.exp(u))],
    // Cauchy's distribution, and one more with a closed form.
    ["Student t", 1, (u) => 0.5 - Math.atan(u) / Math.PI],
    ["Student t", 2, (u) => 0.5 - u / (2 * Math.sqrt(2 + u * u))],
  ];
  for (const [name, parameter, beyond] of closed) {
    const measured = survival(family(name), parameter);
    for (const u of [0, 1e-6, 0.01, 0.3, 1, 2.5, 7]) {
      const error = Math.abs(measured(u) - beyond(u));
      // Cauchy's tail beyond the tabulated range is 1e-4.
      assert.ok(error < (name === "Student t" ? 2e-4 : 2e-6), `${name} at ${u}: off by ${error}`);
    }
  }
  const normal = survival(family("Gaussian"), 1);
  assert.ok(Math.abs(normal(1.959964) - 0.025) < 1e-5);
  assert.ok(Math.abs(survival(family("generalised Gaussian"), 2)(1.385904) - 0.025) < 1e-5);
});

Deno.test("tables have the shares of the cells", () => {
  const [even, odd] = densityTables(firstDensity(family("Laplacian"), false));
  const cells = (from: number, to: number) => 4096 * (Math.exp(-from) - Math.exp(-to)) / 2;
  const near = (measured: number, expected: number) => assert.ok(Math.abs(measured - expected) < 3);
  const inEven = even![UNIT_CLASS]!, inOdd = odd![UNIT_CLASS]!;
  near(inEven.frequencies[inEven.reach]!, 2 * cells(0, 1));
  near(inEven.frequencies[inEven.reach + 1]!, cells(1, 3));
  near(inOdd.frequencies[inOdd.reach]!, 2 * cells(0, 0.5));
  near(inOdd.frequencies[inOdd.reach - 1]!, cells(0.5, 2));
  near(inOdd.frequencies[inOdd.reach + 2]!, cells(2, 4));
});

Deno.test("a fit finds the density that counts were made of", () => {
  const counts = emptyCounts(2);
  const truth = survival(family("generalised Gaussian"), 1.3);
  for (const octaves of [-1, 0, 1, 2]) {
    const cell = UNIT_CLASS + 4 * octaves;
    for (let a = 0; a < 30; a++) {
      const [from, to] = [Math.max(0, 2 * a - 1), 2 * a + 1].map((x) => truth(x / 2 ** octaves));
      counts[cell * MAGNITUDES + a] = 1e5 * 2 * (from! - to!);
    }
  }
  const { parameters } = fitDensity(firstDensity(family("generalised Gaussian"), false), counts);
  assert.ok(Math.abs(2 ** parameters[1]! - 1.3) < 0.03, `${2 ** parameters[1]!}`);
  assert.ok(Math.abs(parameters[0]!) < 0.05, `${parameters[0]}`);
});
