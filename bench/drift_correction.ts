/**
 * What is won where each matrix is quantized against the inputs that the layers before it give once they
 * are quantized (Qronos, GPTAQ), at the same number of bytes? Compresses a model to each rate as usual,
 * and with targets that make up for shares of the drift, and measures both on texts.
 *
 *     deno run --allow-all bench/drift_correction.ts
 *     deno run --allow-all bench/drift_correction.ts --model ./my-model --backend native --bits 3 \
 *       --calibration prose=novels.txt --text wiki=test.txt --share 0.3,0.5
 *
 * Calibrates on `--calibration-tokens` of the texts of `--calibration`, and corrects drift on
 * `--drift-tokens` of them; the embedded texts are the default. `name=file#50-100` is a text's second half.
 * `--damping` times the mean square of a matrix' inputs is added to each; `--share` makes so much of the
 * change, instead of what one half of the text says of the other.
 */
import { embeddedModelPath, openModel } from "../data/mod.ts";
import type { BackendName } from "../eval/compute/backend_names.ts";
import { calibrate, evaluateLanguageModel, readStateDict, tensorMetrics } from "../eval/mod.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import type { TasksThrough } from "../hierarchy/workers/task_runner.ts";
import { decompressWeights, factorMetrics, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { driftCorrected } from "../eval/drift/correct_drift.ts";
import { readNamedTextsOr } from "./support/read_text.ts";
import { printTable } from "./support/theory/table.ts";
import { chunksOf, joinChunks } from "./support/tuning/text_chunks.ts";

const args = readOptions({
  model: { type: "string" },
  bits: { type: "string", default: "2,3" },
  share: { type: "string", default: "" },
  damping: { type: "string", default: "0.1" },
  states: { type: "string" },
  calibration: { type: "string", multiple: true },
  "calibration-tokens": { type: "string", default: "20480" },
  "drift-tokens": { type: "string", default: "20480" },
  text: { type: "string", multiple: true },
  chunks: { type: "string", default: "16" },
  context: { type: "string", default: "512" },
  backend: { type: "string", default: "wasm" },
  threads: { type: "string" },
});

const numbers = (list: string) => list.split(",").map(Number);
const backend = args.backend as BackendName;
const threads = Number(args.threads ?? navigator.hardwareConcurrency);
const damping = Number(args.damping);
const shares = args.share === "" ? [undefined] : numbers(args.share);
const source = await openModel(args.model ?? embeddedModelPath());
const tokenizer = await source.tokenizer();
const original = await readStateDict(source);
const { config } = source;
const model = describeModel(config, original.keys());
const contextLength = Math.min(Number(args.context), model.contextLength);
const bosTokenId = tokenizer.addsBos ? tokenizer.bosTokenId : undefined;
const bos = bosTokenId === undefined ? {} : { bosTokenId };

const calibrationTexts = await readNamedTextsOr("calibration", "--calibration", args.calibration);
/** An equal share of each text of calibration. */
const mixture = (tokens: number) => {
  const most = Math.max(1, Math.ceil(tokens / contextLength / calibrationTexts.length));
  return calibrationTexts.flatMap(({ text }) =>
    chunksOf(source, tokenizer, text, contextLength, most)
  );
};
const texts = (await readNamedTextsOr("evaluation", "--text", args.text)).map(({ name, text }) => ({
  name,
  tokens: joinChunks(chunksOf(source, tokenizer, text, contextLength, Number(args.chunks))),
}));

const began = performance.now();
const seconds = () => `${((performance.now() - began) / 1000).toFixed(0)} s`;
const metrics = tensorMetrics(
  model,
  await calibrate({
    ...{ config, weights: original, contextLength, ...bos, backend, threads },
    tokens: joinChunks(mixture(Number(args["calibration-tokens"]))),
  }),
);
console.error(`${seconds()}: calibrated`);
const parameters = new Set(original.values().map(({ data }) => data)).values()
  .reduce((sum, data) => sum + data.length, 0);
const given = args.states === undefined ? {} : { states: Number(args.states) };

const rows: string[][] = [];
for (const bits of numbers(args.bits)) {
  const factored = await factorMetrics(metrics, { weights: original, bits });
  const compress = async (tasksThrough?: TasksThrough) => {
    const through = tasksThrough && { tasksThrough };
    const compressor = new HierarchicalCompressor({ bits, threads, ...given, ...through });
    return (await compressor.compress(original, { metrics: factored, config })).bytes;
  };
  await report(bits, "as coded", await compress());
  for (const share of shares) {
    const through = await driftCorrected({
      ...{ config, weights: original, contextLength, ...bos, backend, threads, damping },
      ...(share !== undefined && { share }),
      tokens: joinChunks(mixture(Number(args["drift-tokens"]))),
    });
    await report(
      bits,
      share === undefined ? "drift corrected" : `${share} of the drift`,
      await compress(through),
    );
  }
}
printTable(["bits", "", "whole file", ...texts.map(({ name }) => name), "99.9 %"], rows);

/** Measures a file on every text. */
async function report(bits: number, how: string, bytes: Uint8Array): Promise<void> {
  const compressed = await decompressWeights(bytes);
  const means: string[] = [], high: string[] = [];
  for (const { tokens } of texts) {
    const { klDivergence } = await evaluateLanguageModel({
      ...{ config, original, compressed, tokens, contextLength, ...bos, backend, threads },
    });
    means.push(klDivergence!.mean.toPrecision(3));
    high.push(klDivergence!.p999.toFixed(2));
  }
  rows.push([
    `${bits}`,
    how,
    (8 * bytes.length / parameters).toFixed(3),
    ...means,
    high.join(" / "),
  ]);
  console.error(`${seconds()}: ${rows.at(-1)!.join(", ")}`);
}
