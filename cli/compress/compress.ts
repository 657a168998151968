import { availableBackend } from "../input/available_backend.ts";
import {
  InputError,
  type ModelSource,
  openFile,
  type StateDict,
  weightsDigest,
} from "../../data/mod.ts";
import { type BaseEvaluation, compressToDivergence } from "../../eval/mod.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import {
  type CompressedModel,
  type CompressorOptions,
  type FactoredMetrics,
  factorMetrics,
  HierarchicalCompressor,
} from "../../hierarchy/mod.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import { type CalibratedModel, calibrateModel } from "./calibration.ts";
import type { CheckedText } from "./calibration_check.ts";
import { chooseMeasurement, measureCompressed, type Measurement } from "./compress_measurement.ts";
import { chooseTarget, coderOptions, type CompressTarget, targetLabel } from "./compress_target.ts";
import { prepareCompressedOutput } from "./compressed_output.ts";
import { UsageError } from "../terminal/errors.ts";
import { rememberOriginal } from "../input/known_originals.ts";
import { compressedCard, readCardOrigin } from "./model_card.ts";
import { checkText } from "../evaluate/measure.ts";
import { isLocalPath, modelLabel, recordedName } from "../input/model_names.ts";
import {
  checkModel,
  neededBytes,
  openNamedModel,
  readFiniteWeights,
} from "../input/original_model.ts";
import { perplexityNotes } from "../evaluate/perplexity_notes.ts";
import { Phases } from "../terminal/phases.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { readRestoredWeights } from "../input/restored_weights.ts";
import { compressionFields, type CompressionOutcome, compressionText } from "./report.ts";
import type { Session } from "../terminal/session.ts";

/** What a run of `compress` works with. */
interface Job {
  readonly name: string | undefined;
  readonly source: ModelSource;
  readonly original: StateDict;
  /** Digest of the original's weights. */
  readonly sha256: string;
  readonly measurement: Measurement;
  readonly target: CompressTarget;
  readonly options: CompressOptions;
  readonly phases: Phases;
  readonly session: Session;
}

/** `compress`: compresses a model, writes it, reads it back, and measures what that cost. */
export async function compress(
  name: string | undefined,
  given: CompressOptions,
  session: Session,
): Promise<void> {
  const options = await availableBackend(given, session);
  const target = chooseTarget(options);
  const phases = new Phases(session, session.signal);
  const source = await openNamedModel(name, phases, session.signal);
  const description = checkModel(source);
  const { signal } = session;
  const measurement = await chooseMeasurement(options, source, description, phases, signal);
  const warning = measurement.kind === "text" ? measurement.text.warning : undefined;
  if (warning !== undefined) session.writeLine(warning);
  await checkText(options.calibration);
  using output = await prepareCompressedOutput(
    options.out ?? `compressed/${modelLabel(name, source)}-${targetLabel(target, options)}`,
  );
  const { original, sha256 } = await phases.run("read", async () => {
    const weights = await readFiniteWeights(source);
    return { original: weights, sha256: await weightsDigest(weights) };
  });
  const job: Job = {
    name,
    source,
    original,
    sha256,
    measurement,
    target,
    options,
    phases,
    session,
  };
  const { metrics, calibrated, notCalibrated } = await calibrateFor(job);
  const { compressed: { bytes, report }, base } = await compressWeights(job, metrics);
  if (output.replaces) session.writeLine(`replacing ${output.file}`);
  const origin = await readCardOrigin(recordedName(name, source), source.documents);
  const sizes = { ...report, originalBytes: await neededBytes(source) };
  await phases.run("write", () => output.write(bytes, source, compressedCard(origin, sizes)));
  await keepPlace(job);
  const restored = await phases.run(
    "decompress",
    async () =>
      await readRestoredWeights(await openContainer(await openFile(output.file)), source.config),
  );
  const models = { config: source.config, original, compressed: restored };
  const context = { phases, signal, calibrated, base };
  const measured = await measureCompressed(measurement, models, options, context);
  const outcome: CompressionOutcome = {
    model: source.name,
    sizes,
    ...measured,
    ...(measured.result !== undefined && {
      notes: perplexityNotes(measured.result, description.vocabularySize),
    }),
    ...(notCalibrated !== undefined && { notCalibrated }),
    uniform: options.uniform === true,
    seconds: phases.seconds(),
    out: output.file,
    command: session.command,
  };
  const card = compressedCard(origin, sizes, outcome);
  await output.writeCard(card).catch((error) => {
    // Somebody has put a file of their own beside the model meanwhile: the model is whole.
    if (!(error instanceof InputError)) throw error;
    session.writeLine(`the card was not updated: ${error.message}`);
  });
  session.print(
    options.json ? JSON.stringify(compressionFields(outcome)) : compressionText(outcome),
  );
}

/**
 * Calibrates, and releases all that the rate code does not need of it. The preset seed has no use
 * for calibration, and `--data-free` wants none.
 */
async function calibrateFor(
  { name, source, original, sha256, target, options, phases, session }: Job,
): Promise<{ metrics: FactoredMetrics; calibrated?: CheckedText; notCalibrated?: string }> {
  const { calibration, dataFree } = options;
  const isSeed = target.preset === "seed";
  if (calibration !== undefined && (dataFree || isSeed)) {
    const other = dataFree ? "--data-free" : "--preset seed";
    throw new UsageError(`--calibration has no effect with ${other}; leave one of them out`);
  }
  const { objective } = describeModel(source.config, original.keys());
  // Calibration weighs errors by what they do to next-token predictions.
  const cannotCalibrate = objective !== "nextToken" && calibration === undefined;
  if (dataFree || isSeed) return { metrics: new Map() };
  if (cannotCalibrate) {
    return { metrics: new Map(), notCalibrated: "the model does not predict next tokens" };
  }
  const model: CalibratedModel = {
    source,
    weights: original,
    sha256,
    embedded: name === undefined,
    local: isLocalPath(name),
  };
  const { metrics, ...calibrated } = await calibrateModel(model, options, phases, session);
  const bits = targetBits(target, original);
  const factored = await phases.run("factor", (progress) =>
    factorMetrics(metrics, {
      weights: original,
      ...(bits !== undefined && { bits }),
      onProgress: (share) => progress(share),
      signal: session.signal,
    }));
  return { metrics: factored, calibrated };
}

/** The target in bits per parameter, if there is one. */
function targetBits({ bits, bytes }: CompressTarget, weights: StateDict): number | undefined {
  if (bytes === undefined) return bits;
  let parameters = 0;
  for (const data of new Set(weights.values().map((tensor) => tensor.data))) {
    parameters += data.length;
  }
  return 8 * bytes / parameters;
}

async function compressWeights(
  { name, source, original, sha256, measurement, target, options, phases, session: { signal } }:
    Job,
  metrics: FactoredMetrics,
): Promise<{ compressed: CompressedModel; base?: BaseEvaluation }> {
  const { preset, bits, bytes, maxKl } = target;
  const { levels, hiddenDims, seed, threads, losslessSmall, backend } = options;
  const input = {
    config: source.config,
    source: recordedName(name, source),
    sourceSha256: sha256,
    metrics,
  };
  return await phases.run("compress", async (progress) => {
    const compressor: CompressorOptions = {
      preset,
      ...(bits !== undefined && { bits }),
      ...(bytes !== undefined && { bytes }),
      ...coderOptions(options),
      seed,
      threads,
      losslessSmall: losslessSmall === true,
      ...(levels !== undefined && { numLevels: levels }),
      ...(hiddenDims !== undefined && { hiddenDims }),
      onProgress: (activity, share) => progress(share, activity),
      signal,
    };
    if (maxKl === undefined || measurement.kind !== "text") {
      return { compressed: await new HierarchicalCompressor(compressor).compress(original, input) };
    }
    const measured = { config: source.config, original, ...measurement.text.evaluation };
    const how = { maxDivergence: maxKl, compressor, input, threads, backend, signal };
    return await compressToDivergence({ ...measured, ...how });
  });
}

/** Keeps where a local original is, for `evaluate` to find: the compressed file does not tell. */
async function keepPlace({ name, sha256, options, session }: Job): Promise<void> {
  if (!options.cache || !isLocalPath(name)) return;
  try {
    await rememberOriginal(sha256, name);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    session.writeLine(`${error.message} (evaluate may need --original ${name})`);
  }
}
