/**
 * What does each preset cost the embedded model? Runs `compress` as a process of its own, with each
 * preset at its defaults and with the default one without calibration, and prints the table of
 * docs/levels.md. Training the autoencoders of `seed` and `hybrid` takes most of some five minutes.
 *
 *     deno run --allow-all bench/presets.ts
 *     deno run --allow-all bench/presets.ts --only "rate --data-free"
 */
import { join } from "node:path";
import { formatBytes } from "../eval/report/number_text.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { measureProcess } from "./support/measured_process.ts";
import { printTable } from "./support/theory/table.ts";

/** What `compress --json` says that the table shows. */
interface Report {
  readonly parameters: number;
  readonly originalBytes: number;
  readonly compressedBytes: number;
  readonly bitsPerWeight: number;
  readonly perplexity: { readonly original: number; readonly compressed: number };
  readonly klDivergence: { readonly mean: number };
  readonly sameTop1: number;
}

const WAYS = ["rate", "rate --data-free", "hybrid", "seed"] as const;

const { only } = readOptions({ only: { type: "string" } });
const ways = WAYS.filter((way) => only === undefined || way === only);
if (ways.length === 0) endFor(`--only: no ${only}; there are ${WAYS.join(", ")}`);

const rows: string[][] = [];
for (const way of ways) {
  const [preset, ...options] = way.split(" ");
  const folder = await Deno.makeTempDir();
  try {
    const measured = await measureProcess([
      ...["compress", "--backend", "wasm", "--preset", preset!, ...options],
      ...["--out", join(folder, "out")],
    ]);
    const output = measured.output as unknown as Report;
    const { originalBytes, parameters, perplexity } = output;
    if (rows.length === 0) {
      const bits = (8 * originalBytes / parameters).toFixed(2);
      rows.push(["original", formatBytes(originalBytes), bits, ppl(perplexity.original), "", ""]);
    }
    rows.push([
      `\`${way}\``,
      formatBytes(output.compressedBytes),
      output.bitsPerWeight.toFixed(2),
      ppl(perplexity.compressed),
      output.klDivergence.mean.toPrecision(3),
      `${(100 * output.sameTop1).toFixed(2)} %`,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
printTable(
  ["preset", "file", "bits per weight", "perplexity", "mean KL divergence", "same top 1"],
  rows,
);

function ppl(value: number): string {
  return value < 1000
    ? value.toFixed(1)
    : value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}
