import { join } from "node:path";
import { InputError, type StateDict, weightsDigest } from "../data/mod.ts";
import { readBaseEvaluation, writeBaseEvaluation } from "../eval/measure/base_evaluation_file.ts";
import { modelLinears } from "../eval/weights/expected_tensors.ts";
import {
  type BaseEvaluation,
  evaluateLanguageModel,
  evaluateOriginal,
  planWindows,
  type TransformerDescription,
} from "../eval/mod.ts";
import { fingerprintOf } from "../eval/measure/evaluation_result.ts";
import { decompressWeights, HierarchicalCompressor, type TensorMetrics } from "../hierarchy/mod.ts";
import { BASELINES, compressWithBaseline } from "../baselines/mod.ts";
import { type CalibratedModel, calibrateModel } from "./calibration.ts";
import { checkUniform, coderOptions } from "./compress_target.ts";
import { type MeasuredText, readMeasuredText } from "./measure.ts";
import { isLocalPath, modelLabel } from "./model_names.ts";
import { checkModel, openNamedModel, readFiniteWeights } from "./original_model.ts";
import { openOutput, type Output } from "./output/output.ts";
import { openPicture } from "./output/picture.ts";
import { Phases, type Report } from "./phases.ts";
import type { Session } from "./session.ts";
import { sweepFigure } from "./sweep_figure.ts";
import type { SweepOptions } from "./sweep_program.ts";
import { pointKey, type SweepPoint, sweepPoints } from "./sweep_points.ts";
import {
  failedRow,
  measuredRow,
  ORIGINAL_NAME,
  readSweep,
  sweepFolder,
  type SweepRecord,
  type SweepRow,
  sweepText,
  writeSweep,
} from "./sweep_results.ts";

/** A model that is compressed in many ways and what all of them share. */
interface Bench {
  readonly model: CalibratedModel;
  readonly description: TransformerDescription;
  readonly text: MeasuredText;
  readonly options: SweepOptions;
  readonly phases: Phases;
  readonly session: Session;
}

/** `sweep`: compresses a model in many ways and measures each; goes on where it was stopped. */
export async function sweep(
  modelName: string | undefined,
  options: SweepOptions,
  session: Session,
): Promise<void> {
  checkUniform(options);
  const points = sweepPoints(options.presets, options.bits);
  const phases = new Phases(session, session.signal);
  const source = await openNamedModel(modelName, phases, session.signal);
  const description = checkModel(source);
  const text = await readMeasuredText(options, await source.tokenizer(), description);
  const folder = options.out ?? `compressed/${modelLabel(modelName, source)}-sweep`;
  using output = await openOutput(folder, sweepFolder);
  using picture = await openPicture(options.plot, session);
  const weights = await phases.run("read", () => readFiniteWeights(source));
  const sha256 = await weightsDigest(weights);
  const embedded = modelName === undefined, local = isLocalPath(modelName);
  const model = { source, weights, sha256, embedded, local };
  const bench: Bench = { model, description, text, options, phases, session };
  const settings = await settingsOf(bench);
  const earlier = await readSweep(folder, settings);
  const { base, original } = await evaluateBase(bench, folder, output, settings);
  const rows: SweepRow[] = [...earlier?.points ?? []];
  const pointsLeft = () => {
    const done = new Set(rows.map(nameRow));
    return points.filter((point) => !done.has(pointKey(point)));
  };
  const countDone = () => `${points.length - pointsLeft().length} of ${points.length} points done`;
  const left = pointsLeft();
  if (earlier !== undefined) session.writeLine(`${folder}: ${countDone()}`);
  const commands = [...new Set([...earlier?.commands ?? [], session.command])];
  const record = (): SweepRecord => (
    { model: source.name, settings, original, commands, points: rows }
  );
  session.signal.addEventListener("abort", () => {
    session.writeLine(`${folder}: ${countDone()}; the same command goes on from here`);
  });
  const metrics = await metricsFor(left, bench);
  for (const [index, point] of left.entries()) {
    session.writeLine(`point ${index + 1} of ${left.length}: ${pointKey(point)}`);
    rows.push(await measurePoint(point, metrics, base, bench));
    await writeSweep(output, record());
  }
  session.print(options.json ? JSON.stringify(record()) : sweepText(record()));
  if (!options.json) session.writeLine(`written to ${join(folder, "sweep.json")} and sweep.csv`);
  await picture?.draw(sweepFigure(record()));
}

function nameRow({ name, bits }: SweepRow): string {
  return pointKey({ name, ...(bits !== null && { bits }) });
}

/** What decides the figures, beside the points. */
async function settingsOf({ model, description, text, options }: Bench) {
  const { tokens: _, protocol, contextLength, stride } = text.evaluation;
  const lengths = { contextLength: contextLength!, ...(stride !== undefined && { stride }) };
  const windows = planWindows(description, { name: protocol!, ...lengths }, text.evaluation);
  return {
    weights: model.sha256,
    text: await fingerprintOf(windows),
    calibration: options.dataFree ? null : options.calibration ?? "default",
    calibrationTokens: options.calibrationTokens ?? null,
    seed: options.seed,
    backend: options.backend,
    effort: options.effort ?? "normal",
    states: options.states ?? null,
    uniform: options.uniform === true,
  };
}

/** Evaluates the original, or reads what an earlier sweep in the folder kept of it. */
async function evaluateBase(
  { model, text, options, phases, session: { signal } }: Bench,
  folder: string,
  output: Output,
  settings: { readonly weights: string; readonly text: string },
): Promise<{ base: BaseEvaluation; original: SweepRecord["original"] }> {
  const file = join(folder, ORIGINAL_NAME);
  const key = `${settings.weights} ${options.backend}`;
  const { config } = model.source;
  const { threads, backend } = options;
  const common = { config, original: model.weights, ...text.evaluation, threads, backend, signal };
  const kept = await readBaseEvaluation(file, key, settings.text);
  return await phases.run("evaluate the original", async (onProgress) => {
    const run = { ...common, onProgress: (share: number) => onProgress(share) };
    const { result, base } = kept === undefined
      ? await evaluateOriginal(run)
      : { result: await evaluateLanguageModel({ ...run, base: kept }), base: kept };
    if (kept === undefined) {
      await output.publishWithin(ORIGINAL_NAME, (path) => writeBaseEvaluation(path, key, base));
    }
    const { perplexity, perplexityStandardError } = result;
    const original = {
      perplexity: perplexity.original,
      perplexityStandardError: perplexityStandardError.original,
    };
    return { base, original };
  });
}

/** Metrics for the points that have a use for them. */
async function metricsFor(points: readonly SweepPoint[], bench: Bench): Promise<TensorMetrics> {
  const { model, description, options, phases, session } = bench;
  const wanted = points.some((point) =>
    "preset" in point
      ? point.preset !== "seed"
      : !/^(rtn-sym|rtn-asym|hqq|sinq|nf4|q8_0)/.test(point.name)
  );
  if (!wanted || options.dataFree || description.objective !== "nextToken") return new Map();
  return (await calibrateModel(model, options, phases, session)).metrics;
}

async function measurePoint(
  point: SweepPoint,
  metrics: TensorMetrics,
  base: BaseEvaluation,
  { model, description, text, options, phases, session: { signal } }: Bench,
): Promise<SweepRow> {
  const { threads, backend } = options;
  try {
    const start = performance.now();
    const compressed = await phases.run(
      "compress",
      (report) =>
        "preset" in point
          ? compressByHierarchy(point, model, metrics, options, { report, signal })
          : compressByBaseline(point.name, model.weights, description, metrics),
    );
    const between = performance.now();
    const result = await phases.run("evaluate", (report) =>
      evaluateLanguageModel({
        config: model.source.config,
        original: model.weights,
        compressed: compressed.weights,
        ...text.evaluation,
        base,
        threads,
        backend,
        onProgress: (share) => report(share),
        signal,
      }));
    const end = performance.now();
    const seconds = { compress: (between - start) / 1000, evaluate: (end - between) / 1000 };
    return measuredRow(point, compressed, result, seconds);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return failedRow(point, error.message);
  }
}

interface CompressedPoint {
  readonly weights: StateDict;
  readonly bytes: number;
  readonly bitsPerWeight: number;
}

async function compressByHierarchy(
  { preset, bits }: Extract<SweepPoint, { preset: unknown }>,
  { source, weights }: CalibratedModel,
  metrics: TensorMetrics,
  options: SweepOptions,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<CompressedPoint> {
  const { seed, threads } = options;
  const isSeed = preset === "seed";
  const compressor = new HierarchicalCompressor({
    preset,
    bits,
    seed,
    threads,
    ...(isSeed ? {} : coderOptions(options)),
    onProgress: (activity, share) => report(share, activity),
    signal,
  });
  const { bytes, report: { bitsPerWeight } } = await compressor.compress(weights, {
    config: source.config,
    metrics: isSeed ? new Map() : metrics,
  });
  return { weights: await decompressWeights(bytes), bytes: bytes.length, bitsPerWeight };
}

function compressByBaseline(
  name: string,
  weights: StateDict,
  description: TransformerDescription,
  metrics: TensorMetrics,
): CompressedPoint {
  const inputsFirst = new Set(
    modelLinears(description).filter(({ layout }) => layout === "inputsByOutputs")
      .map(({ weight }) => weight),
  );
  return compressWithBaseline(weights, BASELINES.get(name)!, { metrics, inputsFirst });
}
