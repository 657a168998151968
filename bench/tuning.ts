/**
 * What does tuning a compressed model's gains, norms and biases win on texts that it was not tuned on,
 * at the same number of bytes? Calibrates and compresses a model at each rate, tunes it for each number
 * of steps, and measures the divergence from the original on every text.
 *
 *     deno run --allow-all bench/tuning.ts
 *     deno run --allow-all bench/tuning.ts --model ./my-model --backend native --bits 2,3 \
 *       --steps 100,200 --tune prose=novels.txt --tune wiki=valid.txt --text wiki=test.txt
 *
 * `name=file#50-100` is a text's second half. Calibrates on the texts of `--calibration`, on those of
 * `--tune` where there are none; the embedded texts are the default. A file with gains is held to the
 * bytes of the one without; `--once` compresses once only, and shows both at their own rates.
 * `--seconds N` lets tuning take as many of the steps as are done in that time, and `--gained PREFIX`
 * keeps the tuned files. `--kept FILE` keeps the calibration there, for rates that are run side by side.
 * `--code-rate .015` trains the codes, too, by a straight-through gradient at this rate, in steps of a scalar
 * quantizer, and shows both. Its gains are held to no size: codes and gains are judged at their own rates.
 * `--code-searches 10` searches the trellis' paths anew around the moved weights so many times; without it
 * single codes change that leave the path as it is.
 * `--beside Q4_K_M=small.gguf` measures another file of the same model on the same texts.
 */
import { embeddedModelPath, openModel } from "../data/mod.ts";
import { sha256OfJson } from "../data/sha256.ts";
import type { StateDict } from "../data/tensor.ts";
import type { BackendName } from "../eval/compute/backend.ts";
import { calibrate, evaluateLanguageModel, readStateDict, tensorMetrics } from "../eval/mod.ts";
import type { Calibration } from "../eval/calibration/calibration.ts";
import { readCalibration, writeCalibration } from "../eval/calibration/calibration_file.ts";
import { packCalibration, unpackCalibration } from "../eval/calibration/packed_calibration.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { holdOut } from "../eval/training/hold_out.ts";
import { GAIN_BITS, tuneCompressed } from "../eval/training/tune_compressed.ts";
import { sourceOf } from "../hierarchy/decode_container.ts";
import { type Container, encodeContainer, openContainer } from "../hierarchy/file/container.ts";
import { decompressWeights, factorMetrics, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { CodingWorkers } from "../hierarchy/workers/coding_workers.ts";
import { readOptions } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";
import {
  type NamedText,
  parseNamedFile,
  readNamedText,
  readNamedTextsOr,
} from "./support/read_text.ts";
import { openPaths, withPaths } from "./support/tuning/code_paths.ts";
import { type CodeTrainer, trainCodes } from "./support/tuning/code_trainer.ts";
import { chunksOf, joinChunks } from "./support/tuning/text_chunks.ts";

const args = readOptions({
  model: { type: "string" },
  bits: { type: "string", default: "2,2.5,3" },
  steps: { type: "string", default: "50,200" },
  "code-rate": { type: "string", default: "0" },
  "code-searches": { type: "string", default: "0" },
  rate: { type: "string", default: "0.001" },
  states: { type: "string" },
  calibration: { type: "string", multiple: true },
  "calibration-tokens": { type: "string", default: "20480" },
  tune: { type: "string", multiple: true },
  "tune-tokens": { type: "string", default: "400000" },
  text: { type: "string", multiple: true },
  chunks: { type: "string", default: "16" },
  context: { type: "string", default: "512" },
  backend: { type: "string", default: "wasm" },
  once: { type: "boolean" },
  seconds: { type: "string" },
  gained: { type: "string" },
  threads: { type: "string" },
  kept: { type: "string" },
  beside: { type: "string", multiple: true },
});

const numbers = (list: string) => list.split(",").filter((item) => item !== "").map(Number);
const backend = args.backend as BackendName;
const threads = Number(args.threads ?? navigator.hardwareConcurrency);
const source = await openModel(args.model ?? embeddedModelPath());
const tokenizer = await source.tokenizer();
const original = await readStateDict(source);
const { config } = source;
const model = describeModel(config, original.keys());
const contextLength = Math.min(Number(args.context), model.contextLength);
const bosTokenId = tokenizer.addsBos ? tokenizer.bosTokenId : undefined;
const bos = bosTokenId === undefined ? {} : { bosTokenId };

/** An equal share of each text. */
function mix(texts: readonly NamedText[], tokens: number): Int32Array[] {
  const most = Math.max(1, Math.ceil(tokens / contextLength / texts.length));
  return texts.flatMap(({ text }) => chunksOf(source, tokenizer, text, contextLength, most));
}

const tuneTexts = await readNamedTextsOr("calibration", "--tune", args.tune);
const calibrationTexts = args.calibration === undefined
  ? tuneTexts
  : await Promise.all(args.calibration.map((name) => readNamedText(name, "--calibration")));
const texts = (await readNamedTextsOr("evaluation", "--text", args.text)).map(({ name, text }) => ({
  name,
  tokens: joinChunks(chunksOf(source, tokenizer, text, contextLength, Number(args.chunks))),
}));
const { chunks, heldOut } = holdOut(mix(tuneTexts, Number(args["tune-tokens"])));
const clock = performance.now();
const seconds = () => ((performance.now() - clock) / 1000).toFixed(0);

const parameters = new Set(original.values().map(({ data }) => data)).values()
  .reduce((sum, data) => sum + data.length, 0);
const rows: string[][] = [];
for (const given of args.beside ?? []) {
  const { name, path } = parseNamedFile(given, "--beside");
  const file = await openModel(path);
  await report("", name, await readStateDict(file), (await Deno.stat(path)).size);
}
const rates = numbers(args.bits);
const metrics = rates.length === 0 && args.kept === undefined
  ? undefined
  : tensorMetrics(model, await calibration());

for (const bits of rates) {
  const factored = await factorMetrics(metrics!, { weights: original, bits });
  const compress = async (reserved: number) => {
    const compressor = new HierarchicalCompressor({
      bytes: Math.floor(bits * parameters / 8),
      reservedBytes: reserved,
      threads,
      ...(args.states !== undefined && { states: Number(args.states) }),
    });
    const { bytes } = await compressor.compress(original, { metrics: factored, config });
    return await openContainer(sourceOf(bytes));
  };
  const reserved = Math.ceil(gainCount(original) * GAIN_BITS / 8);
  const container = await compress(reserved);
  const plain = args.once ? container : await compress(0);
  console.error(`${seconds()} s: compressed to ${bits} bits`);
  await reportFile(bits, "as coded", await encodeContainer(plain));
  for (const most of numbers(args.steps)) {
    const steps = args.seconds === undefined
      ? most
      : Math.min(most, await stepsIn(Number(args.seconds), container));
    for (const codeRate of new Set([0, Number(args["code-rate"])])) {
      await tuneOnce(bits, container, { steps, codeRate });
    }
  }
}
printTable(["bits", "tuned", "whole file", ...texts.map(({ name }) => name), "99.9 %"], rows);

/** Tunes a file, its codes too where they have a rate, and measures what that gives. */
async function tuneOnce(
  bits: number,
  container: Container,
  { steps, codeRate }: { readonly steps: number; readonly codeRate: number },
): Promise<void> {
  const begin = performance.now();
  const codes: { trained?: CodeTrainer } = {};
  const { bytes: tuned, result } = await tuneCompressed({
    config,
    original,
    container,
    backend,
    threads,
    chunks,
    heldOut,
    steps,
    rate: Number(args.rate),
    ...(codeRate > 0 && {
      trainerThrough: (inner) =>
        codes.trained = trainCodes(inner, openPaths(container), {
          rate: codeRate,
          steps,
          searches: Number(args["code-searches"]),
        }),
    }),
    onProgress: (step) => {
      if (step % 10 === 0) console.error(`${seconds()} s: step ${step} of ${steps}`);
    },
  });
  const { before, after, step, points } = result;
  const spent = (performance.now() - begin) / 1000;
  console.error(points.map(({ step, loss }) => `${step}: ${loss.toFixed(4)}`).join(", "));
  console.error(
    `held out: ${before.toFixed(4)} to ${after.toFixed(4)} at step ${step}, ${spent.toFixed(0)} s`,
  );
  const bytes = codes.trained === undefined ? tuned : await codedAnew(tuned, codes.trained);
  await reportFile(bits, `${steps} steps${codeRate > 0 ? ", codes too" : ""}`, bytes);
  if (args.gained !== undefined) {
    const name = `${args.gained}-${bits}-${steps}${codeRate > 0 ? "-codes" : ""}`;
    await Deno.writeFile(`${name}.kan.safetensors`, bytes);
  }
}

/** A tuned file with the codes that were trained beside its gains. */
async function codedAnew(tuned: Uint8Array, trained: CodeTrainer): Promise<Uint8Array> {
  const { codes, changed } = trained.best();
  console.error(`${(100 * changed).toFixed(3)} % of the codes changed`);
  const workers = new CodingWorkers(threads);
  try {
    const file = await openContainer(sourceOf(tuned));
    return await encodeContainer(await withPaths(file, codes, workers));
  } finally {
    workers.close();
  }
}

/** How many steps are done in a time, by the time of some. */
async function stepsIn(seconds: number, container: Container): Promise<number> {
  const times: number[] = [];
  const enough = new AbortController();
  const onProgress = () => {
    // The first step has programs compiled.
    if (times.push(performance.now()) === 5) enough.abort();
  };
  const { signal } = enough;
  const tuning = { config, original, container, backend, threads, chunks, heldOut };
  await tuneCompressed({ ...tuning, steps: 60, onProgress, signal }).catch((error) => {
    if (!signal.aborted) throw error;
  });
  const step = (times.at(-1)! - times[0]!) / 4000;
  console.error(`${step.toFixed(2)} s a step`);
  return Math.max(1, Math.floor(seconds / step));
}

/** Rows and columns of everything that may have gains. */
function gainCount(weights: typeof original): number {
  return new Set(weights.values()).values()
    .reduce((sum, { shape }) => sum + (shape.length === 2 ? shape[0]! + shape[1]! : 0), 0);
}

/** What calibration finds, or what an earlier run kept of it. */
async function calibration(): Promise<Calibration> {
  const tokens = joinChunks(mix(calibrationTexts, Number(args["calibration-tokens"])));
  const key = await sha256OfJson([[...tokens], contextLength, bos, backend, config]);
  const kept = args.kept === undefined ? undefined : await readCalibration(args.kept, key);
  if (kept !== undefined) return unpackCalibration(kept.calibration);
  const found = packCalibration(
    await calibrate({ config, weights: original, tokens, contextLength, ...bos, backend, threads }),
  );
  console.error(`${seconds()} s: calibrated`);
  if (args.kept !== undefined) {
    await writeCalibration(args.kept, key, { calibration: found, tokens });
  }
  return unpackCalibration(found);
}

/** Measures a compressed model on every text. */
async function reportFile(bits: number, tuned: string, bytes: Uint8Array): Promise<void> {
  await report(`${bits}`, tuned, await decompressWeights(bytes), bytes.length);
}

/** Measures weights on every text. */
async function report(
  bits: string,
  tuned: string,
  compressed: StateDict,
  bytes: number,
): Promise<void> {
  const found: string[] = [], high: string[] = [];
  for (const { tokens } of texts) {
    const { klDivergence } = await evaluateLanguageModel({
      config,
      original,
      compressed,
      tokens,
      contextLength,
      ...bos,
      backend,
      threads,
    });
    found.push(klDivergence!.mean.toFixed(4));
    high.push(klDivergence!.p999.toFixed(2));
  }
  const rate = (8 * bytes / parameters).toFixed(3);
  rows.push([bits, tuned, rate, ...found, high.join(" / ")]);
  console.log(`${bits} bits (${rate}), ${tuned}: ${found.join(" / ")}, 99.9 % ${high.join(" / ")}`);
}
