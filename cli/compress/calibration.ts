import type { ModelSource, StateDict, TextTokenizer } from "../../data/mod.ts";
import { sampleTokens, tensorMetrics } from "../../eval/mod.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { usualTokens } from "../../eval/calibration/finite_text_loss.ts";
import type { TensorMetrics } from "../../hierarchy/metric/tensor_metric.ts";
import {
  CALIBRATION_VERSION,
  type KeptCalibration,
} from "../../eval/calibration/calibration_file.ts";
import { calibratePacked, type MemorySaving } from "../../eval/calibration/calibrate.ts";
import type { CalibrationWork } from "../../eval/calibration/kept_sums.ts";
import { interleave } from "../../eval/calibration/choose_chunks.ts";
import { unpackCalibration } from "../../eval/calibration/packed_calibration.ts";
import { fromBase64, toHex } from "../../data/base64.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { cachedCalibration, seemsKept } from "./calibration_cache.ts";
import {
  type CalibrationOrigin,
  type CalibrationText,
  readCalibrationText,
} from "./calibration_text.ts";
import { keptTokens } from "./kept_tokens.ts";
import { cacheFolder } from "../input/cache_folder.ts";
import { specialTokens } from "../evaluate/measure.ts";
import { chatFrame } from "../input/chat_frame.ts";
import { hasTokenizer } from "../input/original_model.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import { formatCount, formatShare, formatTokenRate } from "../../eval/report/number_text.ts";
import type { Run } from "../terminal/run.ts";
import { greatest } from "../../data/extremes.ts";

/** Chunks are at most so long. */
const LONGEST_CHUNK = 512;

/** The options that say how to calibrate. */
export type CalibrationOptions = Pick<
  CompressOptions,
  | "calibration"
  | "calibrationTokens"
  | "calibrationLoss"
  | "backend"
  | "threads"
  | "seed"
  | "cache"
>;

/** What is calibrated. */
export interface CalibratedModel {
  /** Where it comes from. */
  readonly source: ModelSource;
  /** Its weights. */
  readonly weights: StateDict;
  /** Digest of its weights. */
  readonly sha256: string;
  /** Whether it is the embedded model, whose calibration text is embedded too. */
  readonly embedded: boolean;
  /** Whether it was named by a path, and may have files kept beside it. */
  readonly local: boolean;
}

/** What {@linkcode calibrateModel} may be helped by. */
export interface CalibrationHelp {
  /** What is going to be calibrated on; read if omitted. */
  readonly plan?: CalibrationPlan | undefined;
  /** How to do with less memory. */
  readonly saving?: MemorySaving | undefined;
  /** Where what is done is kept, for a later run to go on from. */
  readonly work?: Omit<CalibrationWork, "key"> | undefined;
}

/** What calibration gives. */
export interface CalibrationOutcome {
  /** What errors in each matrix cost. */
  readonly metrics: TensorMetrics;
  /** The text that it comes from, tokenized. */
  readonly tokens: Int32Array;
  /** Where that text comes from. */
  readonly origin: CalibrationOrigin;
  /** Tokens of a chunk. */
  readonly contextLength: number;
  /** Share of the divergence that more text would save, about, where reading may end by itself. */
  readonly loss?: number;
  /** Inputs of the layer that has the most. */
  readonly widestInput: number;
}

/**
 * Finds what errors in each matrix cost, by running a text through the model: those
 * of `--calibration`, or several kinds that come with kanpress. What an earlier run found is taken from the
 * cache, unless `--no-cache` says otherwise. Throws {@linkcode InputError} if the text is too
 * short or does not fit the model.
 */
export async function calibrateModel(
  model: CalibratedModel,
  options: CalibrationOptions,
  run: Run,
  { plan, saving, work }: CalibrationHelp = {},
): Promise<CalibrationOutcome> {
  const { source, weights, local } = model;
  const planned = plan ?? await planCalibration(model, options);
  const { text } = planned;
  if ("tokens" in text) text.warnings.forEach((warning) => run.writeLine(warning));
  const make = () => makeCalibration(model, planned, options, run, { saving, work });
  // What does not fit into memory is not kept: it would be read into memory again.
  const kept = options.cache && saving === undefined
    ? await cachedCalibration(cacheFolder(source, local, run.environment), planned.key, make, run)
    : await make();
  const description = describeModel(source.config, weights.keys());
  const { loss } = kept.calibration;
  if (loss !== undefined) {
    const read = `${formatCount(kept.tokens.length)} of ${formatCount(plannedTokens(planned))}`;
    run.writeLine(`calibrated on ${read} tokens: ${lossText(loss)}`);
  }
  return {
    ...(loss !== undefined && { loss }),
    metrics: tensorMetrics(description, unpackCalibration(kept.calibration)),
    tokens: kept.tokens,
    origin: "tokens" in text ? text.origin : "model",
    contextLength: planned.settings.contextLength,
    widestInput: greatest(
      kept.calibration.linears.map(({ moment }) => kept.calibration.moments[moment]!.size),
    ),
  };
}

/** What more text would change, in words. */
export function lossText(loss: number): string {
  return `more would lower the divergence by about ${formatShare(loss, 1)}`;
}

/** What a calibration is going to be of, before anything is run. */
export interface CalibrationPlan {
  /** The text, or how the model is to write it. */
  readonly text: CalibrationText;
  /** Settings that the statistics depend on, beside the text. */
  readonly settings: CalibrationSettings;
  /** SHA-256 of everything that decides what calibration finds: the contents, not the names. */
  readonly key: string;
}

/** Reads the text to calibrate on; throws {@linkcode InputError} as {@linkcode calibrateModel}. */
export async function planCalibration(
  model: CalibratedModel,
  options: CalibrationOptions,
): Promise<CalibrationPlan> {
  const { source: { config }, weights, source } = model;
  const description = describeModel(config, weights.keys());
  const paths = options.calibration ?? [];
  // A model can write its own text without a tokenizer.
  const tokenizer = paths.length === 0 && !hasTokenizer(source)
    ? undefined
    : await source.tokenizer();
  const contextLength = Math.min(description.contextLength, LONGEST_CHUNK);
  const frame = paths.length > 0 || model.embedded || tokenizer === undefined
    ? undefined
    : await chatFrame(source, tokenizer);
  const text = await readCalibrationText({
    ...{ config, tokenizer, embedded: model.embedded, paths, contextLength, frame },
    limit: options.calibrationTokens,
    mayEndEarly: options.calibrationLoss !== undefined,
  });
  const settings = { contextLength, ...(tokenizer !== undefined && bosOf(tokenizer)) };
  return { text, settings, key: await calibrationKey(model, text, settings, options) };
}

/** Tokens that are going to be calibrated on. */
export function plannedTokens({ text }: CalibrationPlan): number {
  return ("tokens" in text ? text.tokens.length : 0) + writtenTokens({ text });
}

/** Tokens that calibration will probably read: fewer where it ends by itself. */
export function expectedTokens(
  plan: CalibrationPlan,
  description: TransformerDescription,
  { calibrationLoss: loss }: Pick<CalibrationOptions, "calibrationLoss">,
): number {
  const planned = plannedTokens(plan);
  return loss === undefined ? planned : Math.min(planned, usualTokens(description, loss));
}

/** Tokens of them that the model itself is going to write. */
export function writtenTokens({ text }: Pick<CalibrationPlan, "text">): number {
  const written = "tokens" in text ? text.own : text;
  return written === undefined ? 0 : written.sequences * written.length;
}

/** Whether a calibration seems to have been kept by an earlier run. */
export function isCalibrationKept(
  { source, local }: CalibratedModel,
  { key }: CalibrationPlan,
  { environment }: Pick<Run, "environment">,
): boolean {
  return seemsKept(cacheFolder(source, local, environment), key);
}

/** Settings that the statistics depend on, beside the text. */
interface CalibrationSettings {
  readonly contextLength: number;
  readonly bosTokenId?: number;
}

function bosOf(tokenizer: TextTokenizer): { bosTokenId?: number } {
  const { bosTokenId } = specialTokens(tokenizer);
  return bosTokenId === undefined ? {} : { bosTokenId };
}

async function calibrationKey(
  { source: { config }, sha256: weights }: CalibratedModel,
  text: CalibrationText,
  settings: CalibrationSettings,
  { backend, seed, calibrationLoss: loss }: CalibrationOptions,
): Promise<string> {
  const what = "tokens" in text
    ? { tokens: await sha256(text.tokens), ...(text.own !== undefined && { own: text.own }) }
    : text;
  const parts = [
    ...[CALIBRATION_VERSION, config, weights, what, settings, backend, seed],
    ...(loss === undefined ? [] : [loss]),
  ];
  return toHex(fromBase64(await sha256OfJson(parts)));
}

async function makeCalibration(
  { source: { config }, weights }: CalibratedModel,
  { text, settings, key }: CalibrationPlan,
  { backend, threads, seed, calibrationLoss: loss }: CalibrationOptions,
  run: Run,
  { saving, work }: CalibrationHelp,
): Promise<KeptCalibration> {
  const common = { config, weights, backend, threads, seed, signal: run.signal };
  const { vocabularySize } = describeModel(config, weights.keys());
  const written = "tokens" in text ? text.own : text;
  const own = written === undefined
    ? new Int32Array()
    : await keptTokens({ store: work?.store, key, vocabularySize }, () =>
      run.phase("sample", (progress) =>
        sampleTokens({
          ...common,
          ...written,
          onProgress: (share, rate) =>
            progress(share, formatTokenRate(rate)),
        })));
  // Texts without what the model writes are taken whole.
  const tokens = "tokens" in text
    ? own.length === 0 ? text.tokens : interleave([text.tokens, own], settings.contextLength)
    : own;
  const calibration = await run.phase("calibrate", async (progress) => {
    const onProgress = (share: number) => progress(share);
    return await calibratePacked(
      { ...common, tokens, ...settings, onProgress, ...(loss !== undefined && { loss }) },
      saving,
      work && { ...work, key },
    );
  });
  // The rest of the text was not read.
  return { calibration, tokens: loss === undefined ? tokens : tokens.slice(0, calibration.tokens) };
}
