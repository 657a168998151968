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
import { formatCount } from "../eval/report/number_text.ts";
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
const all = numbers(args.states);
for (const bits of numbers(args.bits)) {
  const cells: string[] = [];
  for (const states of all) {
    const { mean, p999 } = await divergenceAt(model, bits, { states });
    cells.push(`${mean.toPrecision(4)} (${p999.toPrecision(3)})`);
    console.error(`${bits} bits, ${states} states: ${cells.at(-1)}`);
  }
  rows.push([`${bits}`, ...cells]);
}
console.log(`${model.name}: mean KL at equal bytes (99.9th percentile)\n`);
printTable(["bits", ...all.map((states) => `${formatCount(states)} states`)], rows);
