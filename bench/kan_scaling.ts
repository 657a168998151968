/**
 * How fast does the error fall with the number of grid intervals (Liu et al. 2024, arXiv:2404.19756,
 * figure 2.3)? A network [2, 1, 1] for exp(sin(pi x) + y^2), in float64; theory says slope -4 for cubic
 * splines. Ends with status 1 where a bound is missed.
 *
 *     deno run --allow-read --allow-env bench/kan_scaling.ts
 */
import {
  createKanModel,
  createRandom,
  fitKan,
  type KanModel,
  refineKan,
  updateGrids,
} from "@kanpress/kanpress/kan";
import { drawSamples, helloFunction, report, rootMeanSquaredError } from "./support/kan_data.ts";
import { readOptions } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";

readOptions({});

/** Where the inner sum is extreme: between them no test sample leaves the hidden grid. */
const EXTREMES = [-0.5, 0.5].flatMap((x) => [-1, 0, 1].map((y) => [x, y]));
const train = drawSamples(helloFunction, 3000, 1, [...EXTREMES, [-1, -1], [1, 1]]);
const test = drawSamples(helloFunction, 3000, 2);

/** One hidden node gets stuck from about half of all starts, so the best of some is taken. */
async function findStart(): Promise<KanModel> {
  let best: { model: KanModel; loss: number } | undefined;
  for (let seed = 0; seed < 8; seed++) {
    const model = createKanModel({
      widths: [2, 1, 1],
      grid: { intervals: 5 },
      noiseScale: 1,
      extrapolation: "linear",
      random: createRandom(seed),
    });
    const fit = await fitKan(model, train, { steps: 100, gridUpdate: false });
    const { loss } = fit.history.at(-1)!;
    if (best === undefined || loss < best.loss) best = { model: fit.model, loss };
  }
  return best!.model;
}

let model = updateGrids(await findStart(), train.inputs, 1);
const sizes = [5, 10, 20, 50, 100], errors: number[] = [];
for (const intervals of sizes) {
  const steps = intervals < 50 ? 10 : 40;
  const refined = refineKan(model, intervals);
  const options = { steps, optimizer: "levenberg-marquardt", gridUpdate: false } as const;
  ({ model } = await fitKan(refined, train, options));
  errors.push(rootMeanSquaredError(model, test));
  report(`G = ${intervals}`, errors.at(-1)!, intervals === 100 ? 5e-6 : undefined);
}
/** Test errors of pykan's run. */
const REFERENCE = [6.8e-3, 3.4e-4, 1.9e-5, 4.9e-7, 3.3e-8];
const slope = (from: number, to: number) =>
  Math.log(errors[to]! / errors[from]!) / Math.log(sizes[to]! / sizes[from]!);
report("slope from G = 5 to 20", slope(0, 2), -3.8);
report("slope from G = 5 to 100", slope(0, 4), -3.8);
console.log();
printTable(
  ["intervals", "here", "reference"],
  sizes.map((size, i) => [`${size}`, errors[i]!.toExponential(1), REFERENCE[i]!.toExponential(1)]),
);
