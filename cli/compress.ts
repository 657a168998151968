import { type ModelSource, openFile, type StateDict } from "../data/mod.ts";
import {
  type FactoredMetrics,
  factorMetrics,
  HierarchicalCompressor,
  openContainer,
  type Preset,
} from "../hierarchy/mod.ts";
import { describeModel } from "../eval/mod.ts";
import { type CalibratedModel, calibrationMetrics } from "./calibration.ts";
import { prepareCompressedOutput } from "./compressed_output.ts";
import { UsageError } from "./errors.ts";
import { measureModels, readMeasuredText } from "./measure.ts";
import { modelLabel } from "./options.ts";
import { checkModel, openNamedModel, readFiniteWeights, recordedName } from "./original_model.ts";
import { Phases, type Report } from "./phases.ts";
import type { CompressOptions } from "./program.ts";
import { readRestoredWeights } from "./restored_weights.ts";
import { compressionFields, type CompressionOutcome, compressionText } from "./report.ts";
import type { Session } from "./session.ts";

/** Target of the presets that have one, in bits per weight of the whole file. */
const DEFAULT_BITS = 4;

/** `compress`: compresses a model, writes it, reads it back, and measures what that cost. */
export async function compress(
  modelName: string | undefined,
  options: CompressOptions,
  session: Session,
): Promise<void> {
  const hierarchy = chooseHierarchy(options);
  const phases = new Phases(session, session.signal);
  const model = await openNamedModel(modelName, phases, session.signal);
  const description = checkModel(model);
  const text = await readMeasuredText(options, await model.tokenizer(), description);
  const output = await prepareCompressedOutput(options.out ?? defaultOutput(model, hierarchy));
  const original = await phases.run("read", () => readFiniteWeights(model));
  const calibrated = { source: model, weights: original, embedded: modelName === undefined };
  const metrics = await metricsOf(calibrated, hierarchy, options, phases, session);
  const { bytes, report: sizes } = await phases.run(
    "compress",
    (report) =>
      createCompressor(options, hierarchy, report, session.signal).compress(original, {
        config: model.config,
        source: recordedName(modelName, model),
        metrics,
      }),
  );
  if (output.replaces) session.writeLine(`replacing ${output.file}`);
  await phases.run("write", () => output.write(bytes, model.companions));
  const compressed = await phases.run(
    "decompress",
    async () =>
      await readRestoredWeights(await openContainer(await openFile(output.file)), model.config),
  );
  const models = { config: model.config, original, compressed };
  const result = await phases.run(
    "evaluate",
    (report) => measureModels(models, text, options, { report, signal: session.signal }),
  );
  const outcome: CompressionOutcome = {
    model: model.name,
    sizes: { ...sizes, originalBytes: model.originalBytes },
    result,
    seconds: phases.seconds(),
    out: output.file,
    command: session.command,
  };
  session.print(
    options.json ? JSON.stringify(compressionFields(outcome)) : compressionText(outcome, text.name),
  );
}

/** Which preset compresses, and to how many bits. */
interface Hierarchy {
  readonly preset: Preset;
  readonly bits?: number;
  readonly bytes?: number;
}

/** As in the library, asking for autoencoder levels is asking for the preset seed. */
function chooseHierarchy(options: CompressOptions): Hierarchy {
  const { preset, bits, size, levels, hiddenDims } = options;
  if (bits !== undefined && size !== undefined) {
    throw new UsageError("--bits and --size are two targets; give one of them");
  }
  const asked = levels !== undefined ? "--levels" : hiddenDims && "--hidden-dims";
  if (preset === "rate" && asked !== undefined) {
    throw new UsageError(
      `${asked} is about autoencoder levels, of which --preset rate has none; ` +
        "choose --preset seed or --preset hybrid",
    );
  }
  if (levels !== undefined && hiddenDims !== undefined && levels !== hiddenDims.length) {
    throw new UsageError(
      `--levels ${levels} and --hidden-dims ${hiddenDims.join()} disagree; give one width a level`,
    );
  }
  const chosen = preset ?? (asked === undefined ? "rate" : "seed");
  if (size !== undefined) return { preset: chosen, bytes: size };
  const target = bits ?? (chosen === "seed" ? undefined : DEFAULT_BITS);
  return { preset: chosen, ...(target === undefined ? {} : { bits: target }) };
}

/** Metrics from calibration; the preset seed has no use for any, and `--data-free` wants none. */
async function metricsOf(
  model: CalibratedModel,
  hierarchy: Hierarchy,
  options: CompressOptions,
  phases: Phases,
  { signal }: Session,
): Promise<FactoredMetrics> {
  const { preset } = hierarchy;
  const { calibration, dataFree } = options;
  if (calibration !== undefined && (dataFree || preset === "seed")) {
    const other = dataFree ? "--data-free" : "--preset seed";
    throw new UsageError(`--calibration has no use with ${other}; leave one of them out`);
  }
  const { objective } = describeModel(model.source.config, model.weights.keys());
  // Calibration weighs errors by what they do to next-token predictions.
  const cannotCalibrate = objective !== "nextToken" && calibration === undefined;
  if (dataFree || preset === "seed" || cannotCalibrate) return new Map();
  const metrics = await calibrationMetrics(model, options, phases, signal);
  const bits = targetBits(hierarchy, model.weights);
  return await phases.run(
    "factor",
    (report) =>
      factorMetrics(metrics, {
        weights: model.weights,
        ...(bits !== undefined && { bits }),
        onProgress: (share) => report(share),
        signal,
      }),
  );
}

/** The target in bits a parameter, where there is one. */
function targetBits({ bits, bytes }: Hierarchy, weights: StateDict): number | undefined {
  if (bytes === undefined) return bits;
  let parameters = 0;
  for (const data of new Set(weights.values().map((tensor) => tensor.data))) {
    parameters += data.length;
  }
  return 8 * bytes / parameters;
}

function createCompressor(
  { levels, hiddenDims, seed, threads, losslessSmall }: CompressOptions,
  hierarchy: Hierarchy,
  report: Report,
  signal: AbortSignal,
): HierarchicalCompressor {
  return new HierarchicalCompressor({
    ...hierarchy,
    seed,
    threads,
    losslessSmall: losslessSmall === true,
    ...(levels === undefined ? {} : { numLevels: levels }),
    ...(hiddenDims === undefined ? {} : { hiddenDims }),
    onProgress: (activity, share) => report(share, activity),
    signal,
  });
}

function defaultOutput(model: ModelSource, { preset, bits, bytes }: Hierarchy): string {
  const rate = bytes !== undefined ? `-${bytes}bytes` : bits === undefined ? "" : `-${bits}bit`;
  return `compressed/${modelLabel(model.name)}-${preset}${rate}`;
}
