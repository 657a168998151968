/**
 * Is the entropy model more than a density of two parameters? Compresses a model at several rates and
 * prices the same indices, in bits a coded weight with all that has to be told, under the learned
 * shapes of the file and under well-known densities, integrated over the quantizers' cells, each with
 * row and column scales that are fitted to it by maximum likelihood; then under parts of the scales.
 *
 *     deno run --allow-all bench/entropy_ablation.ts
 *     deno run --allow-all bench/entropy_ablation.ts --model FOLDER --calibration-tokens 16384
 *     deno run --allow-all bench/entropy_ablation.ts --model FOLDER --only layers.0.,layers.15. --data-free
 *
 * `--only` takes the matrices whose names have one of these parts. The embedded calibration text is read
 * where there is no `--data-free`.
 */
import { openModel, readEmbeddedCalibration, type StateDict } from "../data/mod.ts";
import { readStateDict } from "../eval/mod.ts";
import { HierarchicalCompressor, type TensorMetrics } from "../hierarchy/mod.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { openCalibrated } from "./support/theory/calibrated_model.ts";
import { indicesOf } from "./support/theory/coded_indices.ts";
import { priceAblations } from "./support/theory/entropy_ablations.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  model: { type: "string" },
  bits: { type: "string", default: "1.5,2,3,4" },
  states: { type: "string", default: "64" },
  only: { type: "string" },
  "calibration-tokens": { type: "string", default: "16384" },
  "data-free": { type: "boolean", default: false },
});

async function open(): Promise<{ name: string; weights: StateDict; metrics?: TensorMetrics }> {
  if (args["data-free"]) {
    const source = await openModel(args.model);
    return { name: source.name, weights: await readStateDict(source) };
  }
  return await openCalibrated({
    ...(args.model !== undefined && { path: args.model }),
    calibrationText: await readEmbeddedCalibration(),
    calibrationTokens: Number(args["calibration-tokens"]),
    evaluationText: "",
    contextLength: 256,
  });
}

const { name, weights: all, metrics } = await open();
const parts = args.only?.split(",") ?? [""];
const weights: StateDict = new Map(
  [...all].filter(([tensor]) => parts.some((part) => tensor.includes(part))),
);
if (weights.size === 0) endFor(`--only: ${name} has no tensor with ${args.only} in its name`);

const rates = args.bits.split(",");
const prices = new Map<string, { parameters: string; bits: number[] }>();
for (const rate of rates) {
  const compressor = new HierarchicalCompressor({
    bits: Number(rate),
    states: Number(args.states),
    threads: navigator.hardwareConcurrency,
  });
  const { bytes } = await compressor.compress(weights, metrics && { metrics });
  const coded = await indicesOf(bytes);
  const count = coded.matrices.reduce((sum, { indices }) => sum + indices.length, 0);
  console.error(`${name} at ${rate} bits: ${count} weights`);
  for (const { name, parameters, price } of priceAblations(coded)) {
    const bits = (price.codes + price.side) / count;
    console.error(`  ${name}: ${bits.toFixed(4)} (${parameters})`);
    const row = prices.get(name) ?? { parameters: "", bits: [] };
    row.parameters = parameters.replace(/:.*/, "");
    row.bits.push(bits);
    prices.set(name, row);
  }
}

const [base] = prices.values();
console.log(`${name}\n`);
printTable(
  ["entropy model", "parameters", ...rates.map((rate) => `${rate} bits`)],
  Array.from(prices, ([name, { parameters, bits }], i) => [
    name,
    parameters,
    ...bits.map((value, at) => {
      const more = 100 * (value / base!.bits[at]! - 1);
      return i === 0 ? value.toFixed(4) : `${more < 0 ? "-" : "+"}${Math.abs(more).toFixed(2)} %`;
    }),
  ]),
);
