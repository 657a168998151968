/**
 * How much of the divergence is due to how short the calibration text is, and is that predicted?
 * Calibrates on ever more of a text, with several seeds that choose other parts of it, compresses and
 * measures. The share by which the divergence exceeds that of endless text is fitted to all
 * measurements, as a constant over the number of tokens; the prediction is that of `--calibration-loss`.
 *
 *     deno run --allow-all bench/calibration_length.ts --calibration novels.txt
 *     deno run --allow-all bench/calibration_length.ts --model ./stories260K --calibration mix.txt \
 *       --text tinystories.txt
 *
 * Without options it is the embedded model with its texts, which have 16,444 tokens to calibrate on.
 */
import { openModel } from "../data/mod.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { mixTexts } from "../eval/calibration/choose_chunks.ts";
import { LEAST_LOSS } from "../eval/calibration/loss_range.ts";
import {
  type BackendName,
  calibrate,
  evaluateLanguageModel,
  evaluateOriginal,
  readStateDict,
  tensorMetrics,
} from "../eval/mod.ts";
import { isNativeInstalled } from "../eval/native/runtime.ts";
import { decompressWeights, factorMetrics, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { readTextOr } from "./support/read_text.ts";

const options = readOptions({
  model: { type: "string" },
  calibration: { type: "string" },
  text: { type: "string" },
  tokens: { type: "string", default: "2048,4096,8192,16384" },
  seeds: { type: "string", default: "0,1,2" },
  bits: { type: "string", default: "3" },
  states: { type: "string", default: "8" },
  chunks: { type: "string", default: "34" },
  backend: { type: "string", default: isNativeInstalled() ? "native" : "wasm" },
  threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
}, { lists: ["tokens", "seeds"] });

const numbers = (text: string) => text.split(",").map(Number);
const counts = numbers(options.tokens), seeds = numbers(options.seeds);
const [bits, states, threads] = [options.bits, options.states, options.threads].map(Number) as [
  number,
  number,
  number,
];
const source = await openModel(options.model);
const { config } = source;
const original = await readStateDict(source);
const tokenizer = await source.tokenizer();
const description = describeModel(config, original.keys());
const contextLength = Math.min(512, description.contextLength);
const common = {
  ...{ config, contextLength, threads },
  backend: options.backend as BackendName,
  ...(tokenizer.addsBos && { bosTokenId: tokenizer.bosTokenId! }),
};
const text = tokenizer.encode(
  await readTextOr("calibration", "--calibration", options.calibration),
);
const most = counts.reduce((a, b) => Math.max(a, b));
if (text.length < most) {
  endFor(`the text to calibrate on has ${text.length} tokens; give a longer --calibration`);
}
const measured = tokenizer.encode(await readTextOr("evaluation", "--text", options.text))
  .subarray(0, Number(options.chunks) * contextLength);
const { base } = await evaluateOriginal({ ...common, original, tokens: measured });

/** As many chunks from all over the text, beginning at another place for each seed. */
function partOf(tokens: number, seed: number): Int32Array {
  const from = Math.floor(seed * text.length / seeds.length / contextLength) * contextLength;
  const turned = new Int32Array(text.length);
  turned.set(text.subarray(from));
  turned.set(text.subarray(0, from), text.length - from);
  return mixTexts([turned], Infinity, contextLength, true).subarray(0, tokens);
}

async function measure(tokens: number, seed: number): Promise<{ kl: number; predicted: number }> {
  const part = partOf(tokens, seed);
  const found = await calibrate({
    ...{ ...common, weights: original, tokens: part, seed, loss: LEAST_LOSS },
  });
  const metrics = await factorMetrics(tensorMetrics(description, found), {
    weights: original,
    bits,
  });
  const compressor = new HierarchicalCompressor({ bits, states, threads });
  const { bytes } = await compressor.compress(original, { config, metrics });
  const compressed = await decompressWeights(bytes);
  const { klDivergence } = await evaluateLanguageModel({
    ...{ ...common, original, compressed, base, tokens: measured },
  });
  return { kl: klDivergence!.mean, predicted: found.loss! };
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const share = (value: number) => `${(100 * value).toFixed(1)} %`;

const rows: { tokens: number; kls: number[]; predicted: number }[] = [];
for (const tokens of counts) {
  const found = [];
  for (const seed of seeds) found.push(await measure(tokens, seed));
  rows.push({
    tokens,
    kls: found.map(({ kl }) => kl),
    predicted: mean(found.map(({ predicted }) => predicted)),
  });
  console.error(`${tokens}: ${found.map(({ kl }) => kl.toPrecision(4)).join(" ")}`);
}

// Least squares of KL = a + b / tokens, relative to a.
const xs = rows.map(({ tokens }) => 1 / tokens), ys = rows.map(({ kls }) => mean(kls));
const [mx, my] = [mean(xs), mean(ys)];
const slope = xs.reduce((sum, x, i) => sum + (x - mx) * (ys[i]! - my), 0) /
  xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
const endless = my - slope * mx;

console.log(`${source.name}, ${bits} bits, ${states} states, seeds ${options.seeds}`);
console.log(`endless text: mean KL ${endless.toPrecision(3)}, by a fit\n`);
console.log("| tokens | mean KL, seed by seed | loss, measured | loss, fitted | loss, predicted |");
console.log("| ---: | --- | ---: | ---: | ---: |");
for (const { tokens, kls, predicted } of rows) {
  const cells = [
    tokens.toLocaleString("en"),
    kls.map((kl) => kl.toPrecision(3)).join(" "),
    share(mean(kls) / endless - 1),
    share(slope / endless / tokens),
    share(predicted),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
