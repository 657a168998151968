import { createRandom, type DataSet, type KanModelOptions } from "@kanpress/kanpress/kan";

/** Something to learn. */
export interface Problem {
  readonly name: string;
  readonly widths: KanModelOptions["widths"];
  /** Spread of the noise on the targets of the training data; 0 if omitted. */
  readonly noise?: number;
  /** From a number uniform on [-1, 1] to an input; itself if omitted. */
  readonly input?: (uniform: number) => number;
  f(...x: number[]): number;
  /** The median test error that pykan 0.2.8 reaches over 7 seeds. */
  readonly pykan: number;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Functions of different kinds, each with a shape that suits it. */
export const PROBLEMS: readonly Problem[] = [
  {
    name: "exp(sin πx + y²)",
    widths: [2, 5, 1],
    pykan: 0.00516,
    f: (x, y) => Math.exp(Math.sin(Math.PI * x!) + y! * y!),
  },
  { name: "x y", widths: [2, 5, 1], pykan: 0.000777, f: (x, y) => x! * y! },
  {
    name: "a peak, 1 / (1 + 25 (x² + y²))",
    widths: [2, 5, 1],
    pykan: 0.00576,
    f: (x, y) => 1 / (1 + 25 * (x! ** 2 + y! ** 2)),
  },
  {
    name: "a step, tanh 10 (x² + y² - ½)",
    widths: [2, 5, 1],
    pykan: 0.0607,
    f: (x, y) => Math.tanh(10 * (x! ** 2 + y! ** 2 - 0.5)),
  },
  {
    name: "waves, sin 5πx cos 3πy",
    widths: [2, 5, 1],
    pykan: 0.292,
    f: (x, y) => Math.sin(5 * Math.PI * x!) * Math.cos(3 * Math.PI * y!),
  },
  {
    name: "kinks, |x + y| - |x - ½y|",
    widths: [2, 5, 1],
    pykan: 0.0186,
    f: (x, y) => Math.abs(x! + y!) - Math.abs(x! - 0.5 * y!),
  },
  {
    name: "(u + v) / (1 + uv), |u|, |v| < 0.95",
    widths: [2, 5, 1],
    pykan: 0.00636,
    input: (uniform) => 0.95 * uniform,
    f: (u, v) => (u! + v!) / (1 + u! * v!),
  },
  {
    name: "ln x √y, inputs from 0.05 to 20",
    widths: [2, 5, 1],
    pykan: 0.133,
    input: (uniform) => Math.exp(3 * uniform),
    f: (x, y) => Math.log(x!) * Math.sqrt(y!),
  },
  {
    name: "the first with noise of 0.1",
    widths: [2, 5, 1],
    pykan: 0.0272,
    noise: 0.1,
    f: (x, y) => Math.exp(Math.sin(Math.PI * x!) + y! * y!),
  },
  {
    name: "exp ½(sin π(a² + b²) + sin π(c² + d²))",
    widths: [4, 4, 2, 1],
    pykan: 0.217,
    f: (...x) =>
      Math.exp(0.5 * sum([0, 2].map((i) => Math.sin(Math.PI * (x[i]! ** 2 + x[i + 1]! ** 2))))),
  },
];

/** Samples of a problem; noise only where asked for. */
export function drawProblem(
  problem: Problem,
  rows: number,
  seed: number,
  isNoisy: boolean,
): DataSet {
  const random = createRandom(seed);
  const { widths: [columns], input = (uniform: number) => uniform, noise = 0 } = problem;
  const inputs = new Float64Array(rows * columns), targets = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const point = Array.from({ length: columns }, () => input(2 * random.uniform() - 1));
    inputs.set(point, row * columns);
    targets[row] = problem.f(...point) + (isNoisy ? noise * random.normal() : 0);
  }
  return {
    inputs: { rows, columns, data: inputs },
    targets: { rows, columns: 1, data: targets },
  };
}
