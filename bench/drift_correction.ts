/**
 * What is won where each matrix is quantized against the inputs that the layers before it give once they
 * are quantized (Qronos, GPTAQ), at the same number of bytes? Compresses a model to each rate, quantizes
 * it again at the same steps with targets that make up for a share of the drift, compresses it as usual to the
 * bytes that this takes, and measures both on texts.
 *
 *     deno run --allow-all bench/drift_correction.ts
 *     deno run --allow-all bench/drift_correction.ts --model ./my-model --backend native --bits 3 \
 *       --calibration prose=novels.txt --text wiki=test.txt --share 0.3,0.5
 *
 * Calibrates on `--calibration-tokens` of the texts of `--calibration`, and corrects drift on
 * `--drift-tokens` of them; the embedded texts are the default. `name=file#50-100` is a text's second half.
 * `--damping` times the mean square of a matrix' inputs is added to each.
 */
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { type BackendName, useBackend } from "../eval/compute/backend.ts";
import { calibrate, evaluateLanguageModel, readStateDict, tensorMetrics } from "../eval/mod.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { prepareWeights } from "../eval/weights/prepared_weights.ts";
import { sourceOf } from "../hierarchy/decode_container.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { decompressWeights, factorMetrics, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { driftCorrected } from "./support/drift/correct_drift.ts";
import { encodeAtStep } from "./support/drift/encode_at_step.ts";
import { readNamedTextsOr } from "./support/read_text.ts";
import { printTable } from "./support/theory/table.ts";
import { chunksOf, joinChunks } from "./support/tuning/text_chunks.ts";

const args = readOptions({
  model: { type: "string" },
  bits: { type: "string", default: "2,3" },
  share: { type: "string", default: "0.5" },
  damping: { type: "string", default: "0.1" },
  states: { type: "string" },
  calibration: { type: "string", multiple: true },
  "calibration-tokens": { type: "string", default: "20480" },
  "drift-tokens": { type: "string", default: "8192" },
  text: { type: "string", multiple: true },
  chunks: { type: "string", default: "16" },
  context: { type: "string", default: "512" },
  backend: { type: "string", default: "wasm" },
  threads: { type: "string" },
});
/** Chunks that go through a layer at once. */
const BATCH = 4;

const numbers = (list: string) => list.split(",").map(Number);
const backend = args.backend as BackendName;
const threads = Number(args.threads ?? navigator.hardwareConcurrency);
const damping = Number(args.damping);
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
const read = mixture(Number(args["drift-tokens"]));
const batches = Array.from({ length: Math.ceil(read.length / BATCH) }, (_, i) => {
  const chunks = read.slice(BATCH * i, BATCH * (i + 1));
  return { ids: joinChunks(chunks), chunks: chunks.length };
});
const parameters = new Set(original.values().map(({ data }) => data)).values()
  .reduce((sum, data) => sum + data.length, 0);
const given = args.states === undefined ? {} : { states: Number(args.states) };

const rows: string[][] = [];
for (const bits of numbers(args.bits)) {
  const factored = await factorMetrics(metrics, { weights: original, bits });
  const compress = async (bytes: number) => {
    const compressor = new HierarchicalCompressor({ bytes: Math.floor(bytes), threads, ...given });
    return (await compressor.compress(original, { metrics: factored, config })).bytes;
  };
  const plain = await compress(bits * parameters / 8);
  await report(bits, "as coded", plain);
  const step = await stepOf(plain);
  for (const share of numbers(args.share)) {
    await useBackend("wasm");
    const input = { metrics: factored, config };
    const options = { bits, threads, ...given };
    const corrected = await encodeAtStep(
      original,
      input,
      step,
      options,
      (states) =>
        driftCorrected({
          ...{ model, batches, share, damping, states },
          original: prepareWeights(model, original, false),
          onLayer: (done, layers) => console.error(`${seconds()}: layer ${done} of ${layers}`),
        }),
    );
    await report(bits, `${share} of the drift`, corrected);
    await report(bits, "as coded, as large", await compress(corrected.length));
  }
}
printTable(["bits", "", "whole file", ...texts.map(({ name }) => name), "99.9 %"], rows);

/** The step that every weight's own is a multiple of. */
async function stepOf(file: Uint8Array): Promise<number> {
  const { stages } = await openContainer(sourceOf(file));
  const field = stages.at(-1)!.findLast(({ kind }) => kind === "field")!;
  return Number(field.parameters.step);
}

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
