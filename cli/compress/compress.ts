import { availableBackend } from "../input/available_backend.ts";
import { InputError, openFile, weightsDigest } from "../../data/mod.ts";
import { type BaseEvaluation, compressToDivergence } from "../../eval/mod.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import {
  type CompressedModel,
  type CompressorOptions,
  type FactoredMetrics,
  factorMetrics,
  HierarchicalCompressor,
} from "../../hierarchy/mod.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import { checkDecodes } from "../../hierarchy/decode_container.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { decodesApart } from "../../hierarchy/file/decode_groups.ts";
import {
  calibrateModel,
  expectedTokens,
  isCalibrationKept,
  plannedTokens,
  writtenTokens,
} from "./calibration.ts";
import { CHECKED_TOKENS, type CheckedText } from "./calibration_check.ts";
import { announce, type Learn } from "../forecast/announce.ts";
import { compressForecast } from "../forecast/compress_forecast.ts";
import type { MemoryChoice } from "../forecast/memory_need.ts";
import type { MemorySaving } from "../../eval/calibration/calibrate.ts";
import { availableMemory } from "../input/available_memory.ts";
import { openSpill } from "../output/spill.ts";
import { tokensRead, wayToNative } from "../forecast/evaluate_forecast.ts";
import type { CompressJob } from "./compress_job.ts";
import { chooseMeasurement, measureCompressed } from "./compress_measurement.ts";
import {
  canMeasureByLayer,
  isMeasuredByLayer,
  planMemory,
  weightCount,
} from "./compress_memory.ts";
import { chooseTarget, coderOptions, targetBits } from "./compress_target.ts";
import { prepareCompressedOutput } from "./compressed_output.ts";
import { defaultOut, refuseOtherModel } from "./output_name.ts";
import { rememberOriginal } from "../input/known_originals.ts";
import { compressedCard, readCardOrigin } from "./model_card.ts";
import {
  canCalibrate,
  prepareCalibration,
  type PreparedCalibration,
} from "./prepare_calibration.ts";
import { checkTexts, type ComparedModels } from "../evaluate/measure.ts";
import { isLocalPath, recordedName } from "../input/model_names.ts";
import {
  checkModel,
  neededBytes,
  openNamedModel,
  readFiniteWeights,
} from "../input/original_model.ts";
import { perplexityNotes } from "../evaluate/perplexity_notes.ts";
import { quantizationNotes } from "../evaluate/quantization_note.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { openWork } from "../output/work_folder.ts";
import { correctDrift, correctsDrift, tokensForDrift } from "./drift.ts";
import { openSpread, tasksBeyond } from "./spread.ts";
import { readRestoredWeights } from "../input/restored_weights.ts";
import { KeptWork } from "./kept_work.ts";
import { compressionWarnings, nextCommand } from "./next_steps.ts";
import { compressionFields, type CompressionOutcome, compressionText } from "./report.ts";
import { gainBytes, planTuningText, tuneModel, tuningSteps } from "./tuning.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { Run } from "../terminal/run.ts";

/** Weights of a model that takes so long that what is done is kept until the end. */
const LONG_WORK = 50_000_000;

/** `compress`: compresses a model, writes it, reads it back, and measures what that cost. */
export async function compress(
  name: string | undefined,
  given: CompressOptions,
  run: Run,
): Promise<void> {
  const asked = await availableBackend(given, run);
  const target = chooseTarget(asked);
  const available = asked.memory ?? availableMemory();
  const source = await openNamedModel(name, run);
  const description = checkModel(source);
  const measurement = await chooseMeasurement(asked, source, description, run);
  const texts = measurement.kind === "text" ? [measurement.text, ...measurement.others] : [];
  for (const { warning } of texts) if (warning !== undefined) run.writeLine(warning);
  await checkTexts(asked.calibration);
  const planned = { source, measurement, target, options: asked };
  const memory = planMemory(planned, description, available, canCalibrate(planned));
  const savings = memory?.savings;
  // What memory is too short for is as if it had been left out, so that the output's name tells.
  const isDriftless = memory?.driftLine !== undefined;
  const options = isDriftless ? { ...asked, correctDrift: false } : asked;
  await using spread = await openSpread(options, run);
  const out = options.out ?? await defaultOut(name, source, target, options);
  using output = await prepareCompressedOutput(out);
  const isLong = target.preset === "rate" && weightCount(source) >= LONG_WORK;
  const work = await openWork({ named: options.work, isLong, out }, run);
  const scratch = savings && output.scratch;
  const { original, sha256 } = await run.phase("read", async () => {
    const weights = await readFiniteWeights(source, scratch);
    return { original: weights, sha256: await weightsDigest(weights) };
  });
  if (options.out === undefined && output.replaces) await refuseOtherModel(output.file, sha256);
  const job: CompressJob = {
    name,
    source,
    original,
    sha256,
    scratch,
    measurement,
    target,
    options,
    run,
    work: work && new KeptWork(work, run),
    spread,
  };
  const prepared = await prepareCalibration(job);
  const drifts = correctsDrift(description, {
    ...{ correctDrift: options.correctDrift, effort: options.effort, preset: target.preset },
    isCalibrated: prepared.calibration !== undefined,
  });
  const tuneSteps = tuningSteps({ source, weights: original }, {
    ...{ tune: options.tune, effort: options.effort, preset: target.preset },
    isCalibrated: prepared.calibration !== undefined,
    byDivergence: target.maxKl !== undefined,
  });
  const tuningText = tuneSteps > 0 && prepared.calibration !== undefined
    ? await planTuningText(
      prepared.calibration.model,
      prepared.calibration.plan,
      tuneSteps,
      options,
    )
    : undefined;
  const learn = await announceCompression(job, description, prepared.calibration, {
    memory,
    drifts,
    tuneSteps,
  });
  for (const line of [memory?.driftLine, memory?.line]) if (line !== undefined) run.writeLine(line);
  using spill = savings === undefined ? undefined : openSpill(output.scratch);
  const saving = spill && { ...savings!, keep: spill.keep };
  const { metrics, calibrated } = await calibrateFor(job, prepared.calibration, saving);
  const { notCalibrated } = prepared;
  const tasksThrough = drifts && prepared.calibration && calibrated
    ? await correctDrift(
      { ...prepared.calibration, tokens: calibrated.tokens },
      options,
      tasksBeyond(job),
    )
    : tasksBeyond(job);
  const { compressed: coded, base } = await compressWeights(job, metrics, {
    tasksThrough,
    isTuned: tuneSteps > 0,
    threads: savings?.codingThreads ?? options.threads,
  });
  job.work?.tellAll();
  const { compressed, tuning } =
    tuneSteps === 0 || prepared.calibration === undefined || calibrated === undefined
      ? { compressed: coded }
      : await tuneModel(
        {
          ...{ ...prepared.calibration, compressed: coded, tokens: calibrated.tokens },
          ...{ text: tuningText, steps: tuneSteps, target },
        },
        options,
        run,
      );
  if (output.replaces) run.writeLine(`replacing ${output.file}`);
  const origin = await readCardOrigin(recordedName(name, source), source.documents);
  const { quantization } = source;
  const sizes = {
    ...compressed.report,
    originalBytes: await neededBytes(source),
    ...(quantization !== undefined && { originalQuantization: quantization }),
  };
  await run.phase("write", () => output.write(compressed, source, compressedCard(origin, sizes)));
  await work?.finish();
  await spread?.finish();
  await keepPlace(job);
  const restored = await run.phase("decompress", async (): Promise<Restored> => {
    const container = await openContainer(await openFile(output.file));
    if (measurement.kind === "none") {
      await checkDecodes(container, { signal: run.signal });
      return { compressed: new Map() };
    }
    const isByLayer = savings !== undefined && canMeasureByLayer(job) ||
      base === undefined && isMeasuredByLayer(job, description);
    if (isByLayer && decodesApart(container)) {
      const compressed = containerWeights(container, { signal: run.signal });
      return { compressed: new Map(), byLayer: { original: source.weights, compressed } };
    }
    return { compressed: await readRestoredWeights(container, source.config) };
  });
  const models = { config: source.config, original, ...restored };
  const measured = await measureCompressed(measurement, models, options, run, {
    ...{ description, calibrated, base },
  });
  const outcome: CompressionOutcome = {
    model: source.name,
    sizes,
    ...measured,
    notes: [
      ...(measured.result === undefined
        ? []
        : perplexityNotes(measured.result, description.vocabularySize)),
      ...quantizationNotes(quantization),
    ],
    ...(notCalibrated !== undefined && { notCalibrated }),
    ...(tuning !== undefined && { tuning }),
    uniform: options.uniform === true,
    driftCorrected: drifts,
    seconds: run.seconds(),
    out: output.file,
    command: run.command,
    backend: options.backend,
  };
  const card = compressedCard(origin, sizes, outcome);
  await output.writeCard(card).catch((error) => {
    // Somebody has put a file of their own beside the model meanwhile: the model is whole.
    if (!(error instanceof InputError)) throw error;
    run.writeLine(`the card was not updated: ${error.message}`);
  });
  if (options.json) run.printJson(compressionFields(outcome));
  else run.print(compressionText(outcome));
  await learn([
    ...(job.spread !== undefined || job.work?.hasFound.compress ? ["compress"] : []),
    ...(job.work?.hasFound.calibrate ? ["calibrate"] : []),
  ]);
  for (const line of compressionWarnings({ ...outcome, dataFree: options.dataFree })) {
    run.writeLine(line);
  }
  // Who names the output knows how to go on.
  if (options.json || options.out !== undefined) return;
  run.writeLine("next:");
  run.writeLine(`  ${nextCommand(run.program, outcome)}`);
}

/** The compressed model as it is going to be measured. */
type Restored = Pick<ComparedModels, "compressed" | "byLayer">;

/** Says what the run is going to take; nothing where autoencoders are trained. */
async function announceCompression(
  { target, measurement, options, run }: CompressJob,
  description: TransformerDescription,
  calibration: PreparedCalibration | undefined,
  { memory, drifts, tuneSteps }: {
    readonly memory: MemoryChoice | undefined;
    readonly drifts: boolean;
    readonly tuneSteps: number;
  },
): Promise<Learn> {
  if (target.preset !== "rate") return () => Promise.resolve();
  const { backend, threads, states, effort, cache = false } = options;
  const measured = measurement.kind === "text"
    ? [measurement.text, ...measurement.others].map(({ evaluation }) => tokensRead(evaluation))
    : [];
  const forecast = compressForecast(description, {
    backend,
    threads,
    ...(states !== undefined && { states }),
    ...(effort !== undefined && { effort }),
    ...(calibration !== undefined && {
      calibration: {
        tokens: expectedTokens(calibration.plan, description, options),
        written: writtenTokens(calibration.plan),
        isKept: cache && isCalibrationKept(calibration.model, calibration.plan, run),
      },
    }),
    byDivergence: target.maxKl !== undefined,
    driftTokens: drifts && calibration !== undefined
      ? tokensForDrift(expectedTokens(calibration.plan, description, options))
      : 0,
    tuneSteps,
    measuredTokens: measured.reduce((sum, tokens) => sum + tokens, 0),
    checkedTokens: calibration === undefined
      ? 0
      : Math.min(CHECKED_TOKENS, plannedTokens(calibration.plan)),
  }, wayToNative(run.program));
  const needed = { ...forecast, ...(memory && { memory: memory.bytes }) };
  return await announce(run, needed, { backend, cache });
}

/** Calibrates, and releases all that the rate code does not need of it. */
async function calibrateFor(
  { original, target, options, run, work }: CompressJob,
  calibration: PreparedCalibration | undefined,
  saving: MemorySaving | undefined,
): Promise<{ metrics: FactoredMetrics; calibrated?: CheckedText }> {
  if (calibration === undefined) return { metrics: new Map() };
  const { model, plan } = calibration;
  const { metrics, ...calibrated } = await calibrateModel(model, options, run, {
    plan,
    saving,
    work: work?.calibration(),
  });
  const bits = targetBits(target, original);
  const factored = await run.phase("factor", (progress) =>
    factorMetrics(metrics, {
      weights: original,
      ...(bits !== undefined && { bits }),
      takes: true,
      ...(saving && { keep: saving.keep }),
      onProgress: (share) => progress(share),
      signal: run.signal,
    }));
  return { metrics: factored, calibrated };
}

async function compressWeights(
  job: CompressJob,
  metrics: FactoredMetrics,
  { tasksThrough, isTuned, threads }: {
    readonly tasksThrough: TasksThrough;
    readonly isTuned: boolean;
    readonly threads: number;
  },
): Promise<{ compressed: CompressedModel; base?: BaseEvaluation }> {
  const { name, source, original, sha256, scratch, measurement, target, options, run } = job;
  const { preset, bits, bytes, maxKl } = target;
  const { levels, hiddenDims, seed, losslessSmall, backend } = options;
  const input = {
    config: source.config,
    source: recordedName(name, source),
    sourceSha256: sha256,
    metrics,
  };
  return await run.phase("compress", async (progress) => {
    const compressor: CompressorOptions = {
      preset,
      ...(bits !== undefined && { bits }),
      ...(bytes !== undefined && { bytes }),
      ...coderOptions(options),
      seed,
      threads,
      tasksThrough,
      losslessSmall: losslessSmall === true,
      ...(scratch !== undefined && { scratchFolder: scratch }),
      ...(isTuned && { reservedBytes: gainBytes({ source, weights: original }) }),
      ...(levels !== undefined && { numLevels: levels }),
      ...(hiddenDims !== undefined && { hiddenDims }),
      onProgress: (activity, share) => progress(share, activity),
      signal: run.signal,
    };
    if (maxKl === undefined || measurement.kind !== "text") {
      return { compressed: await new HierarchicalCompressor(compressor).compress(original, input) };
    }
    const measured = { config: source.config, original, ...measurement.text.evaluation };
    const how = { maxDivergence: maxKl, compressor, input, threads, backend, signal: run.signal };
    return await compressToDivergence({ ...measured, ...how });
  });
}

/** Keeps where a local original is, for `evaluate` to find: the compressed file does not tell. */
async function keepPlace({ name, sha256, options, run }: CompressJob): Promise<void> {
  if (!options.cache || !isLocalPath(name)) return;
  try {
    await rememberOriginal(sha256, name, run.environment);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    run.writeLine(`${error.message} (evaluate may need --original ${name})`);
  }
}
