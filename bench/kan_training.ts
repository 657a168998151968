/**
 * What does fitKan reach at its defaults, beside pykan 0.2.8? Prints test errors (root mean square) of
 * networks of 5 intervals after 400 steps of L-BFGS, here one iteration each, in pykan 20 steps of up to
 * 20: medians over seeds, on the same 1,000 training and 1,000 test samples. pykan's figures were
 * measured by bench/support/kan_training/pykan.py; with --python they are measured again.
 *
 *     deno run --allow-read --allow-env bench/kan_training.ts --seeds 5
 *     deno run --allow-all bench/kan_training.ts --python /path/to/python3
 */
import { createKanModel, createRandom, type DataSet, fitKan } from "@kanpress/kanpress/kan";
import { readOptions } from "./support/command_line.ts";
import { drawProblem, PROBLEMS } from "./support/kan_training/problems.ts";
import { rootMeanSquaredError } from "./support/kan_data.ts";
import { runPython } from "./support/run_python.ts";
import { printTable } from "./support/theory/table.ts";

const STEPS = 400, ROWS = 1000, PYKAN_ITERATIONS = 20;

const values = readOptions({
  seeds: { type: "string", default: "5" },
  python: { type: "string" },
});
const seeds = Array.from({ length: Number(values.seeds) }, (_, seed) => seed);
const data = PROBLEMS.map((problem) => ({
  train: drawProblem(problem, ROWS, 1, true),
  test: drawProblem(problem, ROWS, 2, false),
}));
const reference = values.python === undefined
  ? PROBLEMS.map(({ pykan }) => pykan)
  : await runPykan(values.python);

const rows: string[][] = [];
for (const [i, problem] of PROBLEMS.entries()) {
  const { train, test } = data[i]!;
  const errors: number[] = [];
  const start = performance.now();
  for (const seed of seeds) {
    const model = createKanModel({
      widths: problem.widths,
      grid: { intervals: 5 },
      random: createRandom(seed),
    });
    const fit = await fitKan(model, train, { steps: STEPS });
    errors.push(rootMeanSquaredError(fit.model, test));
  }
  const seconds = (performance.now() - start) / 1000 / seeds.length;
  rows.push([problem.name.replaceAll("|", "\\|"), decimal(median(errors)), decimal(reference[i]!)]);
  console.error(`${problem.name}: ${decimal(median(errors))}, ${seconds.toFixed(1)} s`);
}
printTable(["function", "here", "pykan"], rows);

/** Three digits, as a decimal fraction. */
function decimal(figure: number): string {
  return figure.toFixed(Math.max(0, 2 - Math.floor(Math.log10(figure))));
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1]!;
}

/** The medians that pykan reaches now. */
async function runPykan(python: string): Promise<number[]> {
  const rows = ({ rows, columns, data }: DataSet["inputs"]) =>
    Array.from({ length: rows }, (_, row) => [
      ...data.subarray(row * columns, (row + 1) * columns),
    ]);
  const lists = ({ inputs, targets }: DataSet) => ({
    inputs: rows(inputs),
    targets: rows(targets),
  });
  const lines = PROBLEMS.map(({ widths }, i) => {
    const { train, test } = data[i]!;
    const steps = STEPS / PYKAN_ITERATIONS;
    return JSON.stringify({ widths, steps, seeds, train: lists(train), test: lists(test) });
  });
  const text = await runPython(python, "kan_training/pykan.py", "pykan", lines.join("\n"));
  return text.split("\n").map((line) => median(JSON.parse(line).errors));
}
