import process from "node:process";
import { isEmbeddedModel } from "../../data/embedded_model.ts";
import { InputError } from "../../data/input_error.ts";
import { type ModelSource, openModel, type StateDict, weightsDigest } from "../../data/mod.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import type { BackendName } from "../../eval/compute/backend_names.ts";
import { checkLoss } from "../../eval/calibration/loss_range.ts";
import { isNativeInstalled } from "../../eval/native/runtime.ts";
import {
  type CompressedModel,
  type CompressorOptions,
  type FactoredMetrics,
  factorMetrics,
  HierarchicalCompressor,
  type Preset,
} from "../../hierarchy/mod.ts";
import { DEFAULT_BITS } from "../../hierarchy/compressor_options.ts";
import { recordedName } from "../input/model_names.ts";
import { checkModel, neededBytes, readFiniteWeights } from "../input/original_model.ts";
import { silentRun } from "../terminal/silent_run.ts";
import {
  calibrateModel,
  type CalibrationOptions,
  type CalibrationPlan,
  planCalibration,
} from "./calibration.ts";
import { targetBits } from "./compress_target.ts";
import { prepareCompressedOutput } from "./compressed_output.ts";
import { compressedCard, readCardOrigin } from "./model_card.ts";
import { KeptWork } from "./kept_work.ts";
import { correctDrift, correctsDrift } from "./drift.ts";
import { openSpread, tasksBeyond } from "./spread.ts";
import { openWork } from "../output/work_folder.ts";
import { gainBytes, planTuningText, tuneModel, tuningSteps } from "./tuning.ts";

/** How {@linkcode compress} compresses: as the compressor's options, and what is here. */
export interface CompressModelOptions extends CompressorOptions {
  /**
   * Whether to find out first, on a text, what errors in each weight cost; true if omitted. Takes most
   * of the time, and makes a file of the same size several times as exact.
   */
  readonly calibrate?: boolean;
  /** At most this many tokens of calibration; as many as the command line takes if omitted. */
  readonly calibrationTokens?: number;
  /**
   * Stops calibrating where more text would lower the divergence by no more than this share, 0.001 to
   * 0.2; reads all the tokens if omitted.
   */
  readonly calibrationLoss?: number;
  /**
   * Whether each layer is quantized against what those before it give once they are quantized: less
   * divergence at the same size, in more time and memory; if omitted, with every effort but `"fast"` where
   * the model is calibrated and predicts next tokens.
   */
  readonly correctDrift?: boolean;
  /**
   * Steps of tuning after coding, which train factors of rows and columns, norms and biases on the
   * calibration text; 0 by default, 100 with the effort `"best"`.
   */
  readonly tune?: number;
  /**
   * Whether what calibration found is kept in the user's cache folder, and taken from there for
   * another rate of the same model, as from the command line; false if omitted.
   */
  readonly keepCalibration?: boolean;
  /**
   * Folder that keeps what is done, so that the same call goes on where one was ended; made if need
   * be, and left. Nothing is kept if omitted.
   */
  readonly work?: string;
  /**
   * Address of a Redis server, `redis://host:6379` or `rediss://` with TLS, whose workers code on other
   * machines: `deno task worker`, or `kanpress worker`. A password stands in the address or in
   * `KANPRESS_REDIS_PASSWORD`. Codes on this machine if omitted.
   */
  readonly redis?: string;
  /**
   * With `redis`: a folder that all machines see, or an address, for what they send each other; the
   * Redis server's memory if omitted.
   */
  readonly store?: string;
  /**
   * Told in a line what the command line would say meanwhile: which workers come and go, what is
   * waited for, what was found in `work`.
   */
  readonly onMessage?: (line: string) => void;
  /** What runs the model: `"native"` where ONNX Runtime is installed, else `"wasm"`, if omitted. */
  readonly backend?: BackendName;
  /**
   * Also writes the file here: a name that ends in `.kan.safetensors`, or a folder, which gets
   * tokenizer, licence and card too, as from the command line. What stands there and was not written by
   * kanpress is left, with an error.
   */
  readonly out?: string;
}

/**
 * Compresses a model as the command line does, calibrated: the same options give the same bytes.
 * `model` is a folder, a GGUF file or a name on the hub, or what `openModel` gave; the embedded
 * model if omitted. It runs on all cores unless `threads` says otherwise.
 *
 * Throws {@linkcode InputError} where the model cannot be read or run, an option is out of its
 * range, `out` cannot be written, or the server of `redis` cannot be reached, before any work is done.
 *
 * ```ts
 * import { compress } from "@kanpress/kanpress";
 * import assert from "node:assert";
 *
 * const { report } = await compress(undefined, { // or "./my-model", or "owner/name"
 *   bits: 3,
 *   effort: "fast",
 *   calibrationTokens: 1024,
 *   out: `${Deno.makeTempDirSync()}/small.kan.safetensors`,
 * });
 * assert.ok(report.bitsPerWeight <= 3);
 * ```
 */
export async function compress(
  model?: string | ModelSource,
  options: CompressModelOptions = {},
): Promise<CompressedModel> {
  const { calibrate = true, out, signal, redis, store } = options;
  const threads = options.threads ?? navigator.hardwareConcurrency;
  // Says what is wrong with the options before any work is done.
  new HierarchicalCompressor(options);
  if (store !== undefined && redis === undefined) {
    throw new InputError("store: is for other machines; name their Redis server as redis");
  }
  signal?.throwIfAborted();
  if (options.calibrationLoss !== undefined) checkLoss(options.calibrationLoss);
  const path = typeof model === "string" ? model : undefined;
  const source = typeof model === "object" ? model : await openModel(path);
  checkModel(source);
  using output = out === undefined ? undefined : await prepareCompressedOutput(out);
  const run = silentRun({
    onMessage: options.onMessage,
    ...(redis !== undefined && { environment: process.env }),
  });
  await using spread = await openSpread(
    {
      ...(redis !== undefined && { redis }),
      ...(store !== undefined && { store }),
      ...(options.work !== undefined && { work: options.work }),
    },
    run,
  );
  const weights = await readFiniteWeights(source);
  const sha256 = await weightsDigest(weights);
  const opened = options.work === undefined
    ? undefined
    : await openWork({ named: options.work, isLong: false, out: out ?? options.work }, run);
  const work = opened && new KeptWork(opened, run);
  const job: Job = { source, weights, sha256, embedded: isEmbeddedModel(source), options, work };
  const drifts = correctsDrift(describeModel(source.config, weights.keys()), {
    ...{ correctDrift: options.correctDrift, effort: options.effort },
    ...{ preset: presetOf(options), isCalibrated: calibrate },
  });
  const calibrated = calibrate ? await calibrateFor(job, threads) : undefined;
  const { tune, effort } = options;
  const steps = tuningSteps(job, {
    ...{ tune, effort, preset: presetOf(options) },
    isCalibrated: calibrated !== undefined,
    byDivergence: false,
  });
  const reserved = steps > 0 ? { reservedBytes: gainBytes(job) } : {};
  const through = tasksBeyond({ spread, work });
  const compressor = new HierarchicalCompressor({
    ...{ ...options, threads, ...reserved },
    tasksThrough: drifts && calibrated !== undefined
      ? await correctDrift(
        { ...calibrated, model: { ...job, local: false } },
        calibrated.settings,
        through,
      )
      : through,
  });
  const name = path ?? (job.embedded ? undefined : source.name);
  const recorded = recordedName(name, source);
  const coded = await compressor.compress(weights, {
    config: source.config,
    source: recorded,
    sourceSha256: sha256,
    ...(calibrated !== undefined && { metrics: calibrated.metrics }),
  });
  const compressed = steps > 0 && calibrated !== undefined
    ? await tuneFor(job, coded, calibrated, steps)
    : coded;
  if (output !== undefined) {
    const origin = await readCardOrigin(recorded, source.documents);
    const { quantization } = source;
    const sizes = {
      ...compressed.report,
      originalBytes: await neededBytes(source),
      ...(quantization !== undefined && { originalQuantization: quantization }),
    };
    await output.write(compressed, source, compressedCard(origin, sizes));
  }
  await spread?.finish();
  return compressed;
}

/** A model that is being compressed. */
interface Job {
  readonly source: ModelSource;
  readonly weights: StateDict;
  readonly sha256: string;
  readonly embedded: boolean;
  readonly options: CompressModelOptions;
  readonly work: KeptWork | undefined;
}

/** What calibration found, and how it was made. */
interface Calibrated {
  readonly metrics: FactoredMetrics;
  readonly plan: CalibrationPlan;
  readonly tokens: Int32Array;
  readonly settings: CalibrationOptions;
}

/** The preset that the options ask for. */
function presetOf({ preset, numLevels, hiddenDims }: CompressModelOptions): Preset {
  return preset ?? (numLevels !== undefined || hiddenDims !== undefined ? "seed" : "rate");
}

/** What errors cost; undefined where that cannot be told. */
async function calibrateFor(
  { options, work, ...given }: Job,
  threads: number,
): Promise<Calibrated | undefined> {
  const model = { ...given, local: false };
  const { source, weights } = model;
  const { seed = 0, signal, onProgress } = options;
  // The preset seed has no use for calibration, and others than next tokens have no labels to draw.
  if (presetOf(options) === "seed") return undefined;
  if (describeModel(source.config, weights.keys()).objective !== "nextToken") return undefined;
  const { calibrationTokens, calibrationLoss } = options;
  const { backend = isNativeInstalled() ? "native" : "wasm" } = options;
  const { keepCalibration: cache = false } = options;
  const settings = {
    cache,
    seed,
    threads,
    backend,
    ...(calibrationTokens !== undefined && { calibrationTokens }),
    ...(calibrationLoss !== undefined && { calibrationLoss }),
  };
  const run = silentRun({ signal, onProgress, ...(cache && { environment: process.env }) });
  const plan = await planCalibration(model, settings);
  const { metrics, tokens } = await calibrateModel(model, settings, run, {
    plan,
    work: work?.calibration(),
  });
  const { bits = DEFAULT_BITS, bytes } = options;
  const factored = await factorMetrics(metrics, {
    weights,
    bits: targetBits({ bits, ...(bytes !== undefined && { bytes }) }, weights)!,
    takes: true,
    onProgress: (share) => onProgress?.("factor", share),
    ...(signal !== undefined && { signal }),
  });
  return { metrics: factored, plan, tokens, settings };
}

async function tuneFor(
  { options: { bits, bytes, signal, onProgress }, work: _, ...model }: Job,
  compressed: CompressedModel,
  { plan, tokens, settings }: Calibrated,
  steps: number,
): Promise<CompressedModel> {
  const target = { ...(bits !== undefined && { bits }), ...(bytes !== undefined && { bytes }) };
  const tuned = { ...model, local: false };
  const text = await planTuningText(tuned, plan, steps, settings);
  const job = { model: tuned, compressed, plan, tokens, text, steps, target };
  return (await tuneModel(job, settings, silentRun({ signal, onProgress }))).compressed;
}
