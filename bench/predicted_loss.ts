/**
 * Does the loss grow by ½ Σ g e H eᵀ, as the rate code assumes? Compresses the embedded model, then
 * puts one compressed matrix at a time into the original and compares its divergence with what
 * calibration predicts.
 *
 *     deno run --allow-all bench/predicted_loss.ts
 *     deno run --allow-all bench/predicted_loss.ts --bits 2.5 --chunks 100
 *
 * Calibrates and measures on the embedded texts, or on those of `--calibration` and `--text`.
 */
import { decompressWeights, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { openEmbeddedCalibrated, TEXT_OPTIONS } from "./support/theory/calibrated_model.ts";
import { predictedLoss } from "./support/theory/predicted_loss.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  ...TEXT_OPTIONS,
  bits: { type: "string", default: "3" },
  states: { type: "string", default: "8" },
});

const model = await openEmbeddedCalibrated(args);
const { weights, metrics } = model;
const compressor = new HierarchicalCompressor({
  bits: Number(args.bits),
  states: Number(args.states),
});
const { bytes, report } = await compressor.compress(weights, { metrics });
const compressed = await decompressWeights(bytes);
const bitsOf = new Map(report.tensors.map(({ name, bitsPerWeight }) => [name, bitsPerWeight]));

const rows: string[][] = [];
let predictedSum = 0, measuredSum = 0;
for (const [name, metric] of metrics) {
  const original = weights.get(name)!, changed = compressed.get(name)!;
  const predicted = predictedLoss(original, changed, metric);
  const { klDivergence } = await model.evaluate(new Map([...weights, [name, changed]]));
  const { mean, standardError } = klDivergence!;
  predictedSum += predicted;
  measuredSum += mean;
  rows.push([
    name.replace(/^transformer\./, "").replace(/\.weight$/, ""),
    original.shape.join(" × "),
    bitsOf.get(name)!.toFixed(2),
    predicted.toExponential(2),
    `${mean.toExponential(2)} ± ${standardError.toExponential(0)}`,
    (mean / predicted).toFixed(2),
  ]);
  console.error(`${name}: ${(mean / predicted).toFixed(2)}`);
}
printTable(["matrix", "shape", "bits", "predicted", "measured", "ratio"], rows);
const together = (await model.evaluate(compressed)).klDivergence!;
console.log(
  `\nall together at ${report.bitsPerWeight.toFixed(3)} bits per parameter: predicted ` +
    `${predictedSum.toExponential(2)}, sum of the measured ${measuredSum.toExponential(2)}, ` +
    `measured ${together.mean.toExponential(2)} ± ${together.standardError.toExponential(0)}`,
);
