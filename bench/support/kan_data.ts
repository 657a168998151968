import { createRandom, type DataSet, evaluateKan, type KanModel } from "@kanpress/kanpress/kan";

/** exp(sin(pi x) + y^2), the first example of Liu et al. 2024 (arXiv:2404.19756). */
export function helloFunction([x, y]: readonly number[]): number {
  return Math.exp(Math.sin(Math.PI * x!) + y! * y!);
}

/** Samples of a function of two variables, uniform on [-1, 1]^2, after the given points. */
export function drawSamples(
  f: (point: readonly number[]) => number,
  rows: number,
  seed: number,
  points: readonly (readonly number[])[] = [],
): DataSet {
  const random = createRandom(seed);
  const all = Array.from({ length: rows }, (_, row) => {
    return points[row] ?? [2 * random.uniform() - 1, 2 * random.uniform() - 1];
  });
  return {
    inputs: { rows, columns: 2, data: Float64Array.from(all.flat()) },
    targets: { rows, columns: 1, data: Float64Array.from(all, f) },
  };
}

/** Root mean squared error of the model on data. */
export function rootMeanSquaredError(model: KanModel, { inputs, targets }: DataSet): number {
  const { data } = evaluateKan(model, inputs);
  const squares = data.reduce((sum, value, i) => sum + (value - targets.data[i]!) ** 2, 0);
  return Math.sqrt(squares / data.length);
}

/** One line of a table: what, the figure, and the bound that it must keep. */
export function report(what: string, figure: number, bound?: number): void {
  const verdict = bound === undefined
    ? ""
    : `  (at most ${bound}: ${figure <= bound ? "kept" : "MISSED"})`;
  console.log(`${what.padEnd(44)}${figure.toPrecision(3).padStart(10)}${verdict}`);
  if (bound !== undefined && !(figure <= bound)) Deno.exitCode = 1;
}
