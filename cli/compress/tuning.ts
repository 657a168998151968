import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { fromBase64, toHex } from "../../data/base64.ts";
import { makeFolder } from "../../data/hub_cache.ts";
import { InputError } from "../../data/mod.ts";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { cutIntoChunks } from "../../eval/protocols/text_chunks.ts";
import { holdOut } from "../../eval/training/hold_out.ts";
import { requireTrainable } from "../../eval/training/trainables.ts";
import type { TuneState } from "../../eval/training/tune.ts";
import { GAIN_BITS, tuneCompressed } from "../../eval/training/tune_compressed.ts";
import {
  readTuneState,
  TUNING_VERSION,
  writeTuneState,
} from "../../eval/training/tune_state_file.ts";
import { expectedTensors } from "../../eval/weights/expected_tensors.ts";
import { sourceOf } from "../../hierarchy/decode_container.ts";
import { DEFAULT_BITS } from "../../hierarchy/compressor_options.ts";
import { openContainer } from "../../hierarchy/file/container.ts";
import type { CompressedModel, Effort, Preset } from "../../hierarchy/mod.ts";
import { reportContainer } from "../../hierarchy/report.ts";
import { cacheFolder } from "../input/cache_folder.ts";
import type { Run } from "../terminal/run.ts";
import {
  type CalibratedModel,
  type CalibrationOptions,
  type CalibrationPlan,
  planCalibration,
  plannedTokens,
} from "./calibration.ts";

/** Tokens that each step sees. */
export const STEP_TOKENS = 2048;
/** Steps that the effort `best` takes unless the user says. */
const BEST_STEPS = 100;
/** Tokens of text, beside those of the steps, that none is taken on. */
const HELD_OUT_TOKENS = 8192;

/** What tuning won, on text that it was not done on. */
export interface TuningOutcome {
  /** Steps that were asked for, and the one that was best: 0 where tuning did not help. */
  readonly steps: number;
  readonly bestStep: number;
  /** Tokens that judged. */
  readonly heldOutTokens: number;
  /** Mean KL divergence from the original on them in nats, as coded and tuned. */
  readonly before: number;
  readonly after: number;
}

/** What chooses how long to tune. */
export interface TuningChoice {
  /** Steps that were asked for. */
  readonly tune?: number | undefined;
  readonly effort?: Effort | undefined;
  readonly preset: Preset;
  /** Whether a text tells what errors cost. */
  readonly isCalibrated: boolean;
  /** Whether the target is a divergence, which tuning would change. */
  readonly byDivergence: boolean;
}

/**
 * Steps of tuning: those that were asked for, else by the effort, where the model can be tuned. Throws
 * {@linkcode InputError} where steps were asked for and it cannot.
 */
export function tuningSteps(
  { source: { config }, weights }: Pick<CalibratedModel, "source" | "weights">,
  { tune, effort, preset, isCalibrated, byDivergence }: TuningChoice,
): number {
  if (tune === 0 || tune === undefined && effort !== "best") return 0;
  const isWanted = preset === "rate" && isCalibrated && !byDivergence;
  if (tune === undefined && !isWanted) return 0;
  try {
    requireTrainable(describeModel(config, weights.keys()));
  } catch (error) {
    if (tune === undefined && error instanceof InputError) return 0;
    throw error;
  }
  return tune ?? BEST_STEPS;
}

/** Bytes that the gains of a model take, about: to be left free when it is compressed. */
export function gainBytes(
  { source: { config }, weights }: Pick<CalibratedModel, "source" | "weights">,
): number {
  const shapes = expectedTensors(describeModel(config, weights.keys())).values();
  const gains = shapes.reduce(
    (sum, [rows = 1, columns]) => columns === undefined ? sum : sum + rows + columns,
    0,
  );
  return Math.ceil(gains * GAIN_BITS / 8);
}

/**
 * Chunks of the text to tune on, one after another: as much of what is calibrated on as the steps take;
 * undefined where the model is to write that first. Throws {@linkcode InputError} if it is too short.
 */
export async function planTuningText(
  model: CalibratedModel,
  plan: CalibrationPlan,
  steps: number,
  options: CalibrationOptions,
): Promise<Int32Array | undefined> {
  const limit = steps * STEP_TOKENS + HELD_OUT_TOKENS;
  const { text } = plannedTokens(plan) >= limit
    ? plan
    : await planCalibration(model, { ...options, calibrationTokens: limit });
  return "tokens" in text ? cutTuningText(model, plan, text.tokens) : undefined;
}

function cutTuningText(
  { source: { config }, weights }: CalibratedModel,
  { settings: { contextLength, bosTokenId } }: CalibrationPlan,
  tokens: Int32Array,
): Int32Array {
  const model = describeModel(config, weights.keys());
  const text = cutIntoChunks(tokens, model, contextLength, bosTokenId);
  if (text.length >= 2 * contextLength) return text;
  throw new InputError(
    `the calibration text has ${text.length / contextLength} chunk of ${contextLength} tokens, ` +
      "and tuning needs one more that it is judged on; give more text, or leave --tune out",
  );
}

/** What {@linkcode tuneModel} works with. */
export interface TuningJob {
  /** The original. */
  readonly model: CalibratedModel;
  readonly compressed: CompressedModel;
  /** The text that it was calibrated on, and its tokens. */
  readonly plan: CalibrationPlan;
  readonly tokens: Int32Array;
  /** What {@linkcode planTuningText} gave. */
  readonly text?: Int32Array | undefined;
  readonly steps: number;
  /** Bytes that the file may have, or bits a parameter. */
  readonly target: { readonly bits?: number; readonly bytes?: number };
}

/**
 * Tunes a compressed model's gains, norms and biases on the text that it was calibrated on, or more of the
 * same. Where calibrations are kept, so is an unfinished tuning, which the same command takes up again.
 */
export async function tuneModel(
  job: TuningJob,
  options: CalibrationOptions,
  run: Run,
): Promise<{ compressed: CompressedModel; tuning: TuningOutcome }> {
  const { model, compressed, plan, tokens, steps, target } = job;
  const { source: { config }, weights } = model;
  const { contextLength } = plan.settings;
  const text = job.text ?? cutTuningText(model, plan, tokens);
  const all = Array.from(
    { length: text.length / contextLength },
    (_, i) => text.slice(i * contextLength, (i + 1) * contextLength),
  );
  const { chunks, heldOut } = holdOut(all);
  const kept = options.cache
    ? await openKeptState(model, { compressed, text, steps }, options, run)
    : undefined;
  const { bytes, result } = await run.phase("tune", async (progress) => {
    const { state } = kept ?? {};
    if (state !== undefined) progress(state.adam.step / steps);
    return await tuneCompressed({
      config,
      original: weights,
      container: await openContainer(sourceOf(compressed)),
      backend: options.backend,
      threads: options.threads,
      chunks,
      heldOut,
      steps,
      tokensPerStep: STEP_TOKENS,
      seed: options.seed,
      mostBytes: target.bytes ??
        (target.bits ?? DEFAULT_BITS) * compressed.report.parameters / 8,
      ...(state !== undefined && { state }),
      ...(kept !== undefined && { onState: kept.keep }),
      onProgress: (step) => progress(step / steps),
      signal: run.signal,
    });
  });
  await kept?.remove();
  const container = await openContainer(sourceOf(bytes));
  const report = await reportContainer(container, bytes.length, { signal: run.signal });
  const { before, after, step } = result;
  const stages = report.stages.map((stage, i) => ({ ...compressed.report.stages[i], ...stage }));
  return {
    compressed: { bytes, report: { ...report, stages } },
    tuning: {
      steps,
      bestStep: step,
      heldOutTokens: heldOut.length * contextLength,
      before,
      after,
    },
  };
}

/** A tuning that an earlier run may have begun, and where it is kept. */
interface KeptState {
  readonly state?: TuneState;
  keep(state: TuneState): Promise<void>;
  remove(): Promise<void>;
}

async function openKeptState(
  { source, sha256: weights, local }: CalibratedModel,
  { compressed: { bytes }, text, steps }: {
    readonly compressed: CompressedModel;
    readonly text: Int32Array;
    readonly steps: number;
  },
  { backend, seed }: CalibrationOptions,
  { environment, writeLine }: Run,
): Promise<KeptState> {
  const parts = [
    TUNING_VERSION,
    weights,
    await sha256(bytes),
    await sha256(text),
    steps,
    backend,
    seed,
  ];
  const key = toHex(fromBase64(await sha256OfJson(parts)));
  const folder = cacheFolder(source, local, environment);
  const path = join(folder, `tuning-${key.slice(0, 24)}.safetensors`);
  let isKeepable = true;
  const attempt = async <T>(work: () => Promise<T>, failed: string): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      writeLine(`${failed}: ${error.message}`);
      return undefined;
    }
  };
  const state = await attempt(() => readTuneState(path, key), "tuning begins anew");
  if (state !== undefined) {
    writeLine(`tuning goes on after step ${state.adam.step} from ${path} (--no-cache begins anew)`);
  }
  return {
    ...(state !== undefined && { state }),
    async keep(state) {
      if (!isKeepable) return;
      const kept = await attempt(async () => {
        await makeFolder(folder);
        await writeTuneState(path, key, state);
        return true;
      }, "an unfinished tuning cannot be kept");
      isKeepable = kept === true;
    },
    async remove() {
      await unlink(path).catch(() => {});
    },
  };
}
