import { availableBackend } from "../input/available_backend.ts";
import { join } from "node:path";
import { InputError, type StateDict, weightsDigest } from "../../data/mod.ts";
import { sha256OfJson } from "../../data/sha256.ts";
import {
  baseValues,
  readBaseEvaluation,
  writeBaseEvaluation,
} from "../../eval/measure/base_evaluation_file.ts";
import { modelLinears } from "../../eval/weights/expected_tensors.ts";
import { type BaseEvaluation, evaluateLanguageModel, evaluateOriginal } from "../../eval/mod.ts";
import { DRIFT_VERSION } from "../../eval/drift/correct_drift.ts";
import { planWindows } from "../../eval/protocols/protocol.ts";
import type { Window } from "../../eval/protocols/window.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { fingerprintOf } from "../../eval/measure/evaluation_result.ts";
import {
  decompressWeights,
  FORMAT_VERSION,
  HierarchicalCompressor,
  type TensorMetrics,
} from "../../hierarchy/mod.ts";
import { chooseStates } from "../../hierarchy/choose_states.ts";
import { CODING_VERSION } from "../../hierarchy/workers/coding_tasks.ts";
import { usesCalibration } from "../../baselines/baselines.ts";
import { BASELINES } from "../../baselines/mod.ts";
import { baselineSteps } from "../../baselines/compress_with_baseline.ts";
import { finishWithBreaks } from "../../workers/steps.ts";
import {
  type CalibratedModel,
  calibrateModel,
  type CalibrationPlan,
  expectedTokens,
  isCalibrationKept,
  planCalibration,
  plannedTokens,
} from "../compress/calibration.ts";
import { announce, type Learn } from "../forecast/announce.ts";
import { modelWork } from "../forecast/step_costs.ts";
import { tokensRead } from "../forecast/evaluate_forecast.ts";
import { sweepForecast } from "../forecast/sweep_forecast.ts";
import { coderOptions } from "../compress/compress_target.ts";
import { correctDrift, correctsDrift, tokensForDrift } from "../compress/drift.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import { UsageError } from "../terminal/errors.ts";
import { checkTexts, type MeasuredText, readMeasuredText } from "../evaluate/measure.ts";
import { quantizationNotes } from "../evaluate/quantization_note.ts";
import { isLocalPath, modelLabel } from "../input/model_names.ts";
import { checkModel, openNamedModel, readFiniteWeights } from "../input/original_model.ts";
import { openOutput, type Output } from "../output/output.ts";
import { openPicture } from "../output/picture.ts";
import type { Progress } from "../terminal/phases.ts";
import type { Run } from "../terminal/run.ts";
import { sweepFigure } from "./sweep_figure.ts";
import type { SweepOptions } from "../options/sweep_options.ts";
import { pointKey, type SweepPoint, sweepPoints } from "./sweep_points.ts";
import type { SweepRecord, SweepRow } from "./sweep_record.ts";
import {
  failedRow,
  finiteOrNull,
  measuredRow,
  ORIGINAL_NAME,
  readSweep,
  sweepFolder,
  sweepText,
  writeSweep,
} from "./sweep_results.ts";

/**
 * To be raised with any change of what a point comes to, beside what has a version of its own: points of
 * other code would be mixed otherwise.
 */
const SWEEP_VERSION = 1;

/** A model that is compressed in many ways and what all of them share. */
interface Bench {
  readonly model: CalibratedModel;
  readonly description: TransformerDescription;
  readonly text: MeasuredText;
  /** What is calibrated on, where anything is. */
  readonly calibration?: CalibrationPlan;
  readonly options: SweepOptions;
  readonly run: Run;
}

/** `sweep`: compresses a model in many ways and measures each; resumes where it was stopped. */
export async function sweep(
  modelName: string | undefined,
  given: SweepOptions,
  run: Run,
): Promise<void> {
  const options = await availableBackend(given, run);
  const points = sweepPoints(options.presets, options.bits);
  const source = await openNamedModel(modelName, run);
  const description = checkModel(source);
  const { text: paths, ...measure } = options;
  if (paths !== undefined && paths.length > 1) {
    throw new UsageError("sweep measures on one text; give one --text");
  }
  const text = await readMeasuredText(
    { ...measure, ...(paths !== undefined && { text: paths[0]! }) },
    await source.tokenizer(),
    description,
  );
  if (text.warning !== undefined) run.writeLine(text.warning);
  for (const note of quantizationNotes(source.quantization)) run.writeLine(note);
  await checkTexts(options.calibration);
  const folder = options.out ?? `compressed/${modelLabel(modelName, source)}-sweep`;
  using output = await openOutput(folder, sweepFolder);
  using picture = await openPicture(options.plot, run);
  const weights = await run.phase("read", () => readFiniteWeights(source));
  const sha256 = await weightsDigest(weights);
  const embedded = modelName === undefined, local = isLocalPath(modelName);
  const model = { source, weights, sha256, embedded, local };
  const calibrates = !options.dataFree && description.objective === "nextToken";
  const bench: Bench = {
    model,
    description,
    text,
    ...(calibrates && { calibration: await planCalibration(model, options) }),
    options,
    run,
  };
  const settings = await settingsOf(bench);
  const earlier = await readSweep(folder, settings);
  const rows: SweepRow[] = [...earlier?.points ?? []];
  const pointsLeft = () => {
    const done = new Set(rows.map(nameRow));
    return points.filter((point) => !done.has(pointKey(point)));
  };
  const countDone = () => `${points.length - pointsLeft().length} of ${points.length} points done`;
  const left = pointsLeft();
  const learn = await announceSweep(left, bench);
  const { base, original } = await evaluateBase(bench, folder, output, settings);
  if (earlier !== undefined) run.writeLine(`${folder}: ${countDone()}`);
  const commands = [...new Set([...earlier?.commands ?? [], run.command])];
  const record = (): SweepRecord => (
    { model: source.name, settings, original, commands, points: rows }
  );
  run.signal.addEventListener("abort", () => {
    run.writeLine(`${folder}: ${countDone()}; the same command resumes here`);
  });
  const calibrated = await calibrationFor(left, bench);
  for (const [index, point] of left.entries()) {
    run.writeLine(`point ${index + 1} of ${left.length}: ${pointKey(point)}`);
    rows.push(await measurePoint(point, calibrated, base, bench));
    await writeSweep(output, record());
  }
  if (options.json) run.printJson(record());
  else run.print(sweepText(record()));
  if (!options.json) run.writeLine(`written to ${join(folder, "sweep.json")} and sweep.csv`);
  await picture?.draw(sweepFigure(record()));
  await learn();
}

/** Says what the points that are left are going to take. */
async function announceSweep(points: readonly SweepPoint[], bench: Bench): Promise<Learn> {
  const { model, description, text, calibration, options, run } = bench;
  const { backend, threads, states, effort, cache = false } = options;
  const isToMake = calibration !== undefined && wantsMetrics(points) &&
    !(cache && isCalibrationKept(model, calibration, run));
  const forecast = sweepForecast(description, {
    backend,
    threads,
    ...(states !== undefined && { states }),
    ...(effort !== undefined && { effort }),
    calibratedTokens: isToMake ? plannedTokens(calibration) : 0,
    measuredTokens: tokensRead(text.evaluation),
    driftTokens: calibration === undefined
      ? 0
      : tokensForDrift(expectedTokens(calibration, description, options)),
    points: points.map((point) => ({
      isPreset: "preset" in point,
      drifts: driftsAt(point, bench),
    })),
  });
  return await announce(run, forecast, { backend, cache });
}

function nameRow({ name, bits }: SweepRow): string {
  return pointKey({ name, ...(bits !== null && { bits }) });
}

/** What decides the figures, beside the points. */
async function settingsOf(bench: Bench) {
  const { model, description, calibration, options } = bench;
  const { states, effort = "normal" } = options;
  const chosen = chooseStates(
    { effort, ...(states !== undefined && { states }) },
    modelWork(description).weights,
  );
  return {
    version:
      `${SWEEP_VERSION}, format ${FORMAT_VERSION}, coding ${CODING_VERSION}, drift ${DRIFT_VERSION}`,
    weights: model.sha256,
    config: await sha256OfJson(model.source.config),
    text: await fingerprintOf(windowsOf(bench)),
    calibration: calibration?.key ?? null,
    seed: options.seed,
    backend: options.backend,
    effort,
    states: chosen,
    uniform: options.uniform === true,
    correctDrift: options.correctDrift ?? effort !== "fast",
  };
}

/** The windows of the measured text. */
function windowsOf({ description, text }: Bench): Window[] {
  const { protocol, contextLength, stride } = text.evaluation;
  const lengths = { contextLength: contextLength!, ...(stride !== undefined && { stride }) };
  return planWindows(description, { name: protocol!, ...lengths }, text.evaluation);
}

type SweepSettings = Awaited<ReturnType<typeof settingsOf>>;

/** Evaluates the original, or reads what an earlier sweep in the folder kept of it. */
async function evaluateBase(
  bench: Bench,
  folder: string,
  output: Output,
  { version, weights, config: configHash, text: fingerprint, backend }: SweepSettings,
): Promise<{ base: BaseEvaluation; original: SweepRecord["original"] }> {
  const { model, description, text, options, run } = bench;
  const file = join(folder, ORIGINAL_NAME);
  const key = await sha256OfJson([version, weights, configHash, backend]);
  const { config } = model.source;
  const { threads } = options;
  const { signal } = run;
  const common = { config, original: model.weights, ...text.evaluation, threads, backend, signal };
  const wanted = { key, fingerprint, values: baseValues(windowsOf(bench), description) };
  const kept = await readBaseEvaluation(file, wanted).catch((error) => {
    if (!(error instanceof InputError)) throw error;
    run.writeLine(`${error.message} (it is made again)`);
    return undefined;
  });
  return await run.phase("evaluate the original", async (onProgress) => {
    const run = { ...common, onProgress: (share: number) => onProgress(share) };
    const { result, base } = kept === undefined
      ? await evaluateOriginal(run)
      : { result: await evaluateLanguageModel({ ...run, base: kept }), base: kept };
    if (kept === undefined) {
      await output.publishWithin(ORIGINAL_NAME, (path) => writeBaseEvaluation(path, key, base));
    }
    const { perplexity, perplexityStandardError } = result;
    const original = {
      perplexity: finiteOrNull(perplexity.original),
      perplexityStandardError: finiteOrNull(perplexityStandardError.original),
    };
    return { base, original };
  });
}

function wantsMetrics(points: readonly SweepPoint[]): boolean {
  return points.some((point) =>
    "preset" in point ? point.preset !== "seed" : usesCalibration(point.name)
  );
}

/** What calibration found for the points that have a use for it. */
async function calibrationFor(points: readonly SweepPoint[], bench: Bench): Promise<Calibrated> {
  const { model, calibration, options, run } = bench;
  if (!wantsMetrics(points) || calibration === undefined) return { metrics: new Map() };
  const { metrics, tokens } = await calibrateModel(model, options, run, { plan: calibration });
  if (!points.some((point) => driftsAt(point, bench))) return { metrics };
  const job = { model, plan: calibration, tokens };
  return { metrics, throughDrift: await correctDrift(job, options, (run) => run) };
}

/** Whether a point corrects drift. */
function driftsAt(point: SweepPoint, { description, calibration, options }: Bench): boolean {
  if (!("preset" in point) || point.preset !== "rate") return false;
  const { correctDrift, effort } = options;
  const isCalibrated = calibration !== undefined;
  return correctsDrift(description, { correctDrift, effort, preset: "rate", isCalibrated });
}

/** What points are compressed by. */
interface Calibrated {
  readonly metrics: TensorMetrics;
  /** Has the coding of the preset rate correct drift, where it is to. */
  readonly throughDrift?: TasksThrough;
}

async function measurePoint(
  point: SweepPoint,
  calibrated: Calibrated,
  base: BaseEvaluation,
  { model, description, text, options, run }: Bench,
): Promise<SweepRow> {
  const { threads, backend } = options;
  try {
    const start = performance.now();
    const compressed = await run.phase(
      "compress",
      (progress) =>
        "preset" in point
          ? compressByHierarchy(point, model, calibrated, options, { progress, signal: run.signal })
          : compressByBaseline(point.name, model.weights, description, calibrated.metrics, {
            onProgress: (share) => progress(share),
            signal: run.signal,
          }),
    );
    const between = performance.now();
    const result = await run.phase("evaluate", (progress) =>
      evaluateLanguageModel({
        config: model.source.config,
        original: model.weights,
        compressed: compressed.weights,
        ...text.evaluation,
        base,
        threads,
        backend,
        onProgress: (share) => progress(share),
        signal: run.signal,
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
  { metrics, throughDrift }: Calibrated,
  options: SweepOptions,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<CompressedPoint> {
  const { seed, threads } = options;
  const isSeed = preset === "seed";
  const compressor = new HierarchicalCompressor({
    preset,
    bits,
    seed,
    threads,
    ...(isSeed ? {} : coderOptions(options)),
    ...(preset === "rate" && throughDrift && { tasksThrough: throughDrift }),
    onProgress: (activity, share) => progress(share, activity),
    signal,
  });
  const { bytes, report: { bitsPerWeight } } = await compressor.compress(weights, {
    config: source.config,
    metrics: isSeed ? new Map() : metrics,
  });
  return { weights: await decompressWeights(bytes), bytes: bytes.length, bitsPerWeight };
}

async function compressByBaseline(
  name: string,
  weights: StateDict,
  description: TransformerDescription,
  metrics: TensorMetrics,
  { onProgress, signal }: { onProgress: (share: number) => void; signal: AbortSignal },
): Promise<CompressedPoint> {
  const inputsFirst = new Set(
    modelLinears(description).filter(({ layout }) => layout === "inputsByOutputs")
      .map(({ weight }) => weight),
  );
  const options = { metrics, inputsFirst, onProgress };
  return await finishWithBreaks(baselineSteps(weights, BASELINES.get(name)!, options), signal);
}
