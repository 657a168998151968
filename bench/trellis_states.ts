/**
 * What are more trellis states worth in a network? Compresses a model with
 * several numbers of states and compares mean divergences at equal bytes;
 * each figure is of three sizes close to each other, because chance moves a single divergence by
 * a few percent.
 *
 *     deno run --allow-all bench/trellis_states.ts
 *     deno run --allow-all bench/trellis_states.ts --model FOLDER --states 64,4096 --bits 2
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
  model: { type: "string" },
  states: { type: "string", default: "64,256,1024,4096" },
  bits: { type: "string", default: "2,3" },
});
const numbers = (list: string) => list.split(",").map(Number);

await useBackend("wasm");
const model = await openEmbeddedCalibrated(args);
const rows: string[][] = [];
for (const bits of numbers(args.bits)) {
  let base: number | undefined;
  for (const states of numbers(args.states)) {
    const { mean, p999 } = await divergenceAt(model, bits, { states });
    base ??= mean;
    const change = 100 * (mean / base - 1);
    rows.push([
      `${bits}`,
      `${states}`,
      mean.toPrecision(4),
      `${change.toFixed(1)} %`,
      p999.toPrecision(3),
    ]);
    console.error(rows.at(-1)!.join("  "));
  }
}
console.log(`${model.name}\n`);
printTable(["bits", "states", "mean KL at equal bytes", "change", "99.9 % KL"], rows);
