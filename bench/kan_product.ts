/**
 * Does one multiplication node learn x y exactly (Liu et al. 2024, arXiv:2408.10205, section 2)? Ends
 * with status 1 where a bound is missed.
 *
 *     deno run --allow-read --allow-env bench/kan_product.ts
 */
import { autoSymbolic, formulaOf } from "@kanpress/kanpress/kan/symbolic";
import { createKanModel, createRandom, fitKan, updateGrids } from "@kanpress/kanpress/kan";
import { pruneKan } from "@kanpress/kanpress/kan/pruning";
import { nodeCount } from "../kan/model/layer_model.ts";
import { drawSamples, report, rootMeanSquaredError } from "./support/kan_data.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const product = ([x, y]: readonly number[]) => x! * y!;
const train = drawSamples(product, 1000, 1), test = drawSamples(product, 1000, 2);
const start = createKanModel({
  widths: [2, { sums: 0, products: [2] }, 1],
  grid: { intervals: 3 },
  extrapolation: "linear",
  // A factor of a spline repeats what its coefficients can do, which slows the last digits down.
  splineScale: false,
  random: createRandom(1),
});
const sparse = await fitKan(start, train, { steps: 200, regularization: { lambda: 1e-3 } });
report("with the sparsity penalty", rootMeanSquaredError(sparse.model, test));
const pruned = updateGrids(pruneKan(sparse.model, train.inputs), train.inputs, 1);
report("nodes left, all multiplying", nodeCount(pruned.layers[0]!), 1);
const options = { steps: 200, optimizer: "levenberg-marquardt", gridUpdate: false } as const;
const trained = await fitKan(pruned, train, options);
report("pruned and trained again", rootMeanSquaredError(trained.model, test), 1e-6);
const symbolic = autoSymbolic(trained.model, train.inputs);
const exact = await fitKan(symbolic.model, train, options);
report("symbolic", rootMeanSquaredError(exact.model, test), 1e-6);
console.log(`f = ${formulaOf(exact.model, { inputNames: ["x", "y"] })[0]!.text}`);
