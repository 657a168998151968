/**
 * What is a rate term in the path search worth in a network? Compresses the embedded model to several
 * sizes, with bits at several prices, and compares mean divergences at equal bytes. Each figure is the
 * geometric mean of three sizes close to each other, because chance moves a single one by a few percent.
 * Takes about fifteen minutes.
 *
 *     deno run --allow-all bench/rate_term.ts
 *     deno run --allow-all bench/rate_term.ts --states 8 --bits 2.5 --weights 0,0.06
 *     deno run --allow-all bench/rate_term.ts --data-free --bits 4 --weights 0,0.06
 *
 * Calibrates and measures on the embedded texts, or on those of `--calibration` and `--text`.
 */
import { useBackend } from "../eval/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { openEmbeddedCalibrated, TEXT_OPTIONS } from "./support/theory/calibrated_model.ts";
import { divergenceAt } from "./support/theory/equal_bytes.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  ...TEXT_OPTIONS,
  states: { type: "string", default: "256" },
  bits: { type: "string", default: "1.8,2.5,4" },
  weights: { type: "string", default: "0,0.06,0.12" },
  "data-free": { type: "boolean", default: false },
});

const states = Number(args.states);
const numbers = (list: string) => list.split(",").map(Number);

await useBackend("wasm");
const model = await openEmbeddedCalibrated(args);

const metrics = args["data-free"] ? new Map() : model.metrics;
const rows: string[][] = [];
for (const bits of numbers(args.bits)) {
  let base: number | undefined;
  for (const rateWeight of numbers(args.weights)) {
    const { mean, p999 } = await divergenceAt(model, bits, { states, rateWeight }, metrics);
    base ??= mean;
    rows.push([
      `${bits}`,
      `${rateWeight}`,
      mean.toPrecision(4),
      `${(100 * (mean / base - 1)).toFixed(1)} %`,
      p999.toPrecision(3),
    ]);
    console.error(rows.at(-1)!.join("  "));
  }
}
printTable(
  ["bits per weight", "a bit's price, squared steps", "KL at equal bytes", "change", "99.9 % KL"],
  rows,
);
