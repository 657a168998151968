/**
 * Does a network [2, 5, 1] come from samples to the formula exp(sin(pi x) + y^2), as in pykan's first
 * example? Prints test errors and the bounds that they must keep; with a folder as argument it also
 * draws the pictures of kan/README.md there. Ends with status 1 where a bound is missed.
 *
 *     deno run --allow-read --allow-env bench/kan_hello.ts
 *     deno run --allow-read --allow-write --allow-env bench/kan_hello.ts FOLDER
 */
import { autoSymbolic, formulaOf } from "@kanpress/kanpress/kan/symbolic";
import {
  createKanModel,
  createRandom,
  fitKan,
  type KanModel,
  refineKan,
} from "@kanpress/kanpress/kan";
import { pruneKan } from "@kanpress/kanpress/kan/pruning";
import { plotEdge, plotNetwork } from "@kanpress/kanpress/plots";
import { readCommandLine } from "./support/command_line.ts";
import { drawSamples, helloFunction, report, rootMeanSquaredError } from "./support/kan_data.ts";
import { printTable } from "./support/theory/table.ts";

const { words: [folder] } = readCommandLine({}, { words: ["FOLDER"] });
const train = drawSamples(helloFunction, 1000, 1), test = drawSamples(helloFunction, 1000, 2);
const least = { steps: 30, optimizer: "levenberg-marquardt" } as const;

function draw(name: string, model: KanModel, title: string): void {
  if (folder === undefined) return;
  const names = { inputNames: ["x", "y"], outputNames: ["f"] };
  Deno.writeTextFileSync(
    `${folder}/${name}.svg`,
    plotNetwork(model, train.inputs, { ...names, title }),
  );
}

/** Test errors of pykan's own run of these steps. */
const PYKAN: Readonly<Record<string, number>> = {
  "[2, 5, 1], 3 intervals, L-BFGS": 1.77e-2,
  "pruned to [2, 1, 1], trained again": 1.72e-2,
  "10 intervals": 4.73e-4,
  "symbolic": 7e-11,
};
const rows: string[][] = [];

function step(name: string, model: KanModel, bound: number): void {
  const error = rootMeanSquaredError(model, test);
  report(name, error, bound);
  // What is left of the last is rounding.
  const digits = error < 1e-12 ? 0 : 2;
  rows.push([name, error.toExponential(digits), PYKAN[name]!.toExponential(digits)]);
}

const start = createKanModel({
  widths: [2, 5, 1],
  grid: { intervals: 3 },
  extrapolation: "linear",
  random: createRandom(0),
});
const plain = await fitKan(start, train, { steps: 400 });
step("[2, 5, 1], 3 intervals, L-BFGS", plain.model, 1.8e-2);

const sparse = await fitKan(start, train, { steps: 600, regularization: { lambda: 5e-3 } });
report("with the sparsity penalty", rootMeanSquaredError(sparse.model, test));
draw("1_sparse", sparse.model, "trained with the sparsity penalty");

const pruned = pruneKan(sparse.model, train.inputs);
report("pruned: hidden nodes left", pruned.layers[0]!.outputDim, 1);
const retrained = await fitKan(pruned, train, least);
step("pruned to [2, 1, 1], trained again", retrained.model, 1.8e-2);

const fine = await fitKan(refineKan(retrained.model, 10), train, { ...least, gridUpdate: false });
step("10 intervals", fine.model, 5e-4);
draw("2_pruned", fine.model, "pruned and refined");

const symbolic = autoSymbolic(fine.model, train.inputs);
for (const { layer, input, output, suggestion } of symbolic.choices) {
  const { edge, r2 } = suggestion;
  console.log(
    `  layer ${layer}, ${input} to ${output}: ${edge.name}, 1 - r2 = ${(1 - r2).toPrecision(2)}`,
  );
}
const exact = await fitKan(symbolic.model, train, least);
step("symbolic", exact.model, 1e-10);
draw("3_symbolic", exact.model, "symbolic");
if (folder !== undefined) {
  const at = { layer: 0, input: 0, output: 0 };
  Deno.writeTextFileSync(
    `${folder}/edge.svg`,
    plotEdge(fine.model, train.inputs, at, { title: "the edge from x" }),
  );
}
const [formula] = formulaOf(exact.model, { inputNames: ["x", "y"] });
console.log(`f = ${formula!.text}\nLaTeX: ${formula!.latex}`);
console.log();
printTable(["step", "here", "pykan, reference"], rows);
