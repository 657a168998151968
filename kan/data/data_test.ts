import assert from "node:assert";
import { createRandom } from "../numeric/random.ts";
import { feynmanProblem, feynmanProblems } from "./feynman.ts";
import { sampleFunction, splitData } from "./samples.ts";

Deno.test("every equation is finite on its ranges and depends on every variable", () => {
  assert.equal(new Set(feynmanProblems.map(({ name }) => name)).size, 120);
  for (const { name, evaluate, variables } of feynmanProblems) {
    const ranges = variables.map(({ range }) => range);
    const { inputs, targets } = sampleFunction(evaluate, {
      ranges,
      rows: 200,
      random: createRandom(1),
    });
    const point = inputs.data.slice(0, variables.length);
    variables.forEach(({ name: variable, range: [start, end] }, i) => {
      const moved = [0.1, 0.35, 0.8].map((share) =>
        evaluate(point.with(i, start + share * (end - start)))
      );
      assert.ok(new Set([...moved, targets.data[0]!]).size > 1, `${name} ignores ${variable}`);
    });
  }
});

Deno.test("equations give the values of their formulas", () => {
  const at = (name: string, point: number[]) => feynmanProblem(name).evaluate(point);
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-14, `${a} ${b}`);
  near(at("I.6.20a", [1]), Math.exp(-0.5) / Math.sqrt(2 * Math.PI));
  near(at("I.16.6", [0.5, 0.4, 2]), 0.9 / 1.05);
  near(at("I.18.12", [2, 3, 0.5]), 6 * Math.sin(0.5));
  near(at("II.10.9", [1, 2, 0.5]), 1 / 3);
  near(at("II.37.1", [1, 0.5, 2]), 3);
  near(at("Goldstein 3.74 (Kepler)", [4, 1, 1, 3]), 2 * Math.PI * 8 / 2);
  const { variables } = feynmanProblem("I.12.11");
  assert.deepEqual(variables.at(-1), { name: "theta", range: [0, 2 * Math.PI] });
  assert.throws(() => feynmanProblem("I.1.1"), /no equation "I.1.1"; there are: I.6.20a/);
});

Deno.test("samples lie in their ranges; parts have each sample once", () => {
  const data = sampleFunction(([x, y]) => [x! + y!, x!], {
    ranges: [[-2, -1], [3, 5]],
    rows: 101,
    random: createRandom(3),
  });
  for (let row = 0; row < 101; row++) {
    const [x, y] = data.inputs.data.subarray(2 * row, 2 * row + 2);
    assert.ok(x! >= -2 && x! < -1 && y! >= 3 && y! < 5);
    assert.deepEqual([...data.targets.data.subarray(2 * row, 2 * row + 2)], [x! + y!, x]);
  }
  const { train, test } = splitData(data, 0.25, createRandom(1));
  assert.deepEqual([train.inputs.rows, test.targets.rows], [76, 25]);
  const sorted = (values: Float64Array) => [...values].sort();
  const both = Float64Array.of(...train.inputs.data, ...test.inputs.data);
  assert.deepEqual(sorted(both), sorted(data.inputs.data));
  test.inputs.data.forEach((x, i) => i % 2 === 0 && assert.equal(test.targets.data[i + 1], x));
  assert.deepEqual(splitData(data, 0.25, createRandom(1)).test, test);
  assert.throws(() => splitData(data, 0), /testShare/);
  const one = { rows: 1, columns: 1, data: Float64Array.of(1) };
  assert.throws(() => splitData({ inputs: one, targets: one }), /at least 2/);
  const options = { ranges: [[0, 1]] as const, rows: 5, random: createRandom(0) };
  assert.throws(() => sampleFunction(() => NaN, options), /not all finite/);
  assert.throws(() => sampleFunction(() => 1, { ...options, ranges: [[1, 0]] }), /ranges\[0\]/);
});
