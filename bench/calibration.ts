/**
 * Which text should a model be calibrated on, and how far should what was found be trusted?
 * Calibrates on each text by itself, compresses with any mixture of them and any regularization, and
 * measures the divergence from the original on several texts: one line of JSON for each try, and a table.
 *
 *     deno run --allow-all bench/calibration.ts --model data/embedded/prose-4m \
 *       --calibrate wiki=texts/wikitext2-valid.txt#0-50 --calibrate own=data/embedded/calibration.txt \
 *       --text wiki=texts/wikitext2-valid.txt#50-100 --text Emma=texts/emma.txt \
 *       --try cover --try cover+own --try cover,noise=0 --bits 2.5,3
 *
 * Without options it tries `cover` on the embedded story. `cover` are the texts of the repository, each of which (`novel`, `code` …) has its own name too.
 * `name*2` counts twice. Options of a try: `noise` (tokens that tell as much as an independent draw; 0
 * takes moments as they are), `predicted` (share of embedding rows that counts by predictions),
 * `bits`, `states`.
 */
import { parseTry } from "./support/calibration_study/parse_try.ts";
import { openStudy } from "./support/calibration_study/study.ts";
import { readOptions } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";

const args = readOptions({
  model: { type: "string", default: "data/embedded/prose-4m" },
  calibrate: { type: "string", multiple: true, default: [] },
  text: { type: "string", multiple: true, default: [] },
  try: { type: "string", multiple: true, default: ["cover"] },
  bits: { type: "string", default: "3" },
  states: { type: "string", default: "8" },
  tokens: { type: "string", default: "4096" },
  chunks: { type: "string", default: "16" },
  context: { type: "string", default: "512" },
  backend: { type: "string", default: "wasm" },
  seed: { type: "string", default: "0" },
  threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
}, { lists: ["bits"] });

const tries = args.try.map((text) => parseTry(text));
const study = await openStudy({
  model: args.model,
  calibrate: args.calibrate,
  text: args.text,
  tokens: Number(args.tokens),
  chunks: Number(args.chunks),
  contextLength: Number(args.context),
  backend: args.backend,
  seed: Number(args.seed),
  threads: Number(args.threads),
});
const defaults = { bits: args.bits.split(",").map(Number), states: Number(args.states) };
const rows = new Map<string, string[]>();
for (const one of tries) {
  const row: string[] = [];
  rows.set(one.label, row);
  for (const bits of one.bits === undefined ? defaults.bits : [one.bits]) {
    const { line, divergences } = await study.run(one, {
      bits,
      states: one.states ?? defaults.states,
    });
    console.log(JSON.stringify(line));
    row.push(...divergences.map((kl) => kl.toPrecision(3)));
  }
}
const columns = defaults.bits.flatMap((bits) => study.texts.map((text) => `${bits} bits: ${text}`));
// A try with bits of its own has fewer columns.
const whole = Array.from(rows).filter(([, row]) => row.length === columns.length);
if (whole.length > 0) {
  console.log();
  printTable(["mean KL, calibrated on", ...columns], whole.map(([label, row]) => [label, ...row]));
}
