/**
 * How exactly and how fast does kan/ solve five tutorials of pykan, beside pykan itself? Over three
 * seeds each; pykan's figures were recorded by bench/support/pykan_tutorials.py. Prints the table of
 * kan/README.md, and ends with status 1 where the median error is above pykan's.
 *
 *     deno run --allow-read --allow-env bench/kan_tutorials.ts [PROBLEM...]
 */
import {
  accuracy,
  createKanModel,
  createRandom,
  type DataSet,
  type Equation,
  evaluateKan,
  fitKan,
  type KanModel,
  refineKan,
  rmse,
  samplesFrom,
} from "@kanpress/kanpress/kan";
import { sampleFunction } from "@kanpress/kanpress/kan/data";
import { pruneKan } from "@kanpress/kanpress/kan/pruning";
import { autoSymbolic } from "@kanpress/kanpress/kan/symbolic";
import { cpuUsage } from "node:process";
import recorded from "./support/pykan_tutorials.json" with { type: "json" };
import { endFor, readCommandLine } from "./support/command_line.ts";

const { PI, cos, exp, sin } = Math;
const SEEDS = [0, 1, 2];
const least = { optimizer: "levenberg-marquardt" } as const;

function draw(
  f: (point: readonly number[]) => number,
  inputs: number,
  rows: number,
  seed: number,
): DataSet {
  const ranges = Array.from({ length: inputs }, () => [-1, 1] as const);
  return sampleFunction(f, { ranges, rows, random: createRandom(seed) });
}

function errorOf(model: KanModel, { inputs, targets }: DataSet): number {
  return rmse(evaluateKan(model, inputs), targets);
}

const helloFunction = ([x, y]: readonly number[]) => exp(sin(PI * x!) + y! ** 2);

/** A [2, 5, 1] that the penalty and pruning make a [2, 1, 1]: few [2, 1, 1] find their way alone. */
async function pruneToShape(train: DataSet, seed: number): Promise<KanModel> {
  const start = createKanModel({ widths: [2, 5, 1], random: createRandom(seed) });
  const sparse = await fitKan(start, train, { steps: 300, regularization: { lambda: 5e-3 } });
  return pruneKan(sparse.model, train.inputs);
}

/** hellokan: sparse, pruned, refined, symbolic. */
async function hello(seed: number): Promise<number> {
  const [train, test] = [0, 1].map((part) => draw(helloFunction, 2, 1000, 2 * seed + part));
  const pruned = await pruneToShape(train!, seed);
  const trained = await fitKan(pruned, train!, { ...least, steps: 20 });
  const refined = refineKan(trained.model, 10);
  const fine = await fitKan(refined, train!, { ...least, steps: 20, gridUpdate: false });
  const functions = ["x", "x^2", "x^3", "x^4", "exp", "log", "sqrt", "tanh", "sin", "abs"];
  const symbolic = autoSymbolic(fine.model, train!.inputs, { functions });
  const exact = await fitKan(symbolic.model, train!, { ...least, steps: 50 });
  return errorOf(exact.model, test!);
}

/** Least squares on finer and finer grids. */
async function refine(model: KanModel, train: DataSet, grids: readonly number[], steps: number) {
  let fitted = model;
  for (const [i, grid] of grids.entries()) {
    const start = i === 0 ? fitted : refineKan(fitted, grid);
    const options = i === 0 ? {} : { gridUpdate: false } as const;
    fitted = (await fitKan(start, train, { ...least, steps, ...options })).model;
  }
  return fitted;
}

/** Example 1: a [2, 1, 1] on finer and finer grids. */
async function functionFitting(seed: number): Promise<number> {
  const [train, test] = [0, 1].map((part) => draw(helloFunction, 2, 1000, 2 * seed + part));
  const start = await pruneToShape(train!, seed);
  return errorOf(await refine(start, train!, [3, 5, 10, 20], 20), test!);
}

/** x y by one node that adds and one that multiplies. */
async function product(seed: number): Promise<number> {
  const f = ([x, y]: readonly number[]) => x! * y!;
  const [train, test] = [0, 1].map((part) => draw(f, 2, 1000, 2 * seed + part));
  const start = createKanModel({
    widths: [2, { sums: 1, products: [2] }, 1],
    random: createRandom(seed),
  });
  const sparse = await fitKan(start, train!, { steps: 200, regularization: { lambda: 1e-3 } });
  const pruned = pruneKan(sparse.model, train!.inputs);
  const fitted = await fitKan(pruned, train!, { ...least, steps: 20 });
  return errorOf(fitted.model, test!);
}

/** scikit-learn's two moons with noise of .1. */
function moons(rows: number, seed: number): DataSet {
  const random = createRandom(seed);
  const points = Array.from({ length: rows }, (_, row) => {
    const angle = PI * random.uniform(), label = row % 2;
    const [x, y] = label === 0 ? [cos(angle), sin(angle)] : [1 - cos(angle), 0.5 - sin(angle)];
    return [x! + 0.1 * random.normal(), y! + 0.1 * random.normal(), label];
  });
  return {
    inputs: samplesFrom(points.map(([x, y]) => [x!, y!])),
    targets: samplesFrom(points.map(([, , label]) => label === 0 ? [1, 0] : [0, 1])),
  };
}

/** Example 3: two moons by a [2, 2] with cross entropy. */
async function classification(seed: number): Promise<number> {
  const train = moons(1000, 2 * seed), test = moons(20_000, 2 * seed + 1);
  const model = createKanModel({ widths: [2, 2], random: createRandom(seed) });
  const fit = await fitKan(model, train, {
    steps: 60,
    loss: "crossEntropy",
    regularization: { lambda: 1e-3 },
  });
  return 1 - accuracy(evaluateKan(fit.model, test.inputs), test.targets);
}

/** Example 6: Poisson's equation on a square by a [2, 2, 1]. */
async function poisson(seed: number): Promise<number> {
  const axis = Array.from({ length: 51 }, (_, i) => -1 + i / 25);
  const inside = samplesFrom(axis.flatMap((x) => axis.map((y) => [x, y])));
  const edge = axis.flatMap((at) => [[at, -1], [at, 1], [-1, at], [1, at]]);
  const solution = (x: number, y: number) => sin(PI * x) * sin(PI * y);
  const data = { inputs: samplesFrom(edge), targets: samplesFrom(edge.map(() => [0])) };
  const equation: Equation = {
    points: inside,
    weight: 0.01,
    residual: ({ x, second }) =>
      second[0]![0]! + second[1]![0]! + 2 * PI ** 2 * solution(x[0]!, x[1]!),
  };
  const model = createKanModel({
    widths: [2, 2, 1],
    grid: { intervals: 5 },
    random: createRandom(seed),
  });
  const { model: fitted } = await fitKan(model, data, {
    ...least,
    steps: 40,
    equations: [equation],
    gridUpdate: false,
  });
  const targets = {
    ...data.targets,
    rows: inside.rows,
    data: Float64Array.from(
      { length: inside.rows },
      (_, row) => solution(inside.data[2 * row]!, inside.data[2 * row + 1]!),
    ),
  };
  return rmse(evaluateKan(fitted, inside), targets);
}

const problems = {
  hello: { solve: hello, title: "hello, to its formula" },
  function_fitting: { solve: functionFitting, title: "function fitting, [2, 1, 1], 20 intervals" },
  product: { solve: product, title: "x y, [2, 1 + 1 product, 1]" },
  classification: { solve: classification, title: "two moons, [2, 2], wrong answers" },
  poisson: { solve: poisson, title: "Poisson's equation, [2, 2, 1]" },
};

/** The median; NaN of nothing. */
function median(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  return known[Math.floor(known.length / 2)] ?? NaN;
}
const figure = (value: number | null) => value === null ? "not run" : value.toPrecision(2);

const names = Object.keys(problems);
const { words: wanted } = readCommandLine({}, { words: names.map(() => "PROBLEM") });
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) endFor(`${unknown}: no such problem; there are ${names.join(", ")}`);

console.log("| tutorial | errors here | errors of pykan | CPU seconds here | of pykan |");
console.log("| -------- | ----------- | --------------- | ---------------- | -------- |");
for (const [name, { solve, title }] of Object.entries(problems)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const errors: number[] = [], seconds: number[] = [];
  for (const seed of SEEDS) {
    const start = cpuUsage();
    errors.push(await solve(seed));
    const { user, system } = cpuUsage(start);
    seconds.push((user + system) / 1e6);
  }
  const other = recorded.problems[name as keyof typeof recorded.problems];
  const all = (values: readonly (number | null)[]) => values.map(figure).join(", ");
  console.log(
    `| ${title} | ${all(errors)} | ${all(other?.errors ?? [])} ` +
      `| ${figure(median(seconds))} | ${figure(median(other?.seconds ?? [NaN]))} |`,
  );
  if (other !== undefined && !(median(errors) <= median(other.errors))) Deno.exitCode = 1;
}
