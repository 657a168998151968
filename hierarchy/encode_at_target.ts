import { DEFAULT_BITS } from "./compressor_options.ts";
import type { DivergenceTarget } from "./compress_input.ts";
import { containerParts, encodeContainer } from "./file/container.ts";
import { collectGarbage } from "../data/collect_garbage.ts";
import {
  byteLengthOf,
  bytesOf,
  type FileArray,
  isFileArray,
  type KeptBytes,
} from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { joinBytes } from "../data/safetensors_encode.ts";
import { runnerOf } from "./workers/coding_workers.ts";
import type { KeptPasses } from "./workers/kept_passes.ts";
import { TrialFiles } from "./trial_files.ts";
import { decompressWeights } from "./decompress.ts";
import { type EncodeOptions, type StageEncoder, TRAINING_SHARE } from "./encode_stages.ts";
import type { PreparedModel } from "./prepare_model.ts";
import {
  type MeasuredEncoding,
  meetDivergence,
  type TrialFigures,
} from "./rate/meet_divergence.ts";
import { meetSize } from "./rate/meet_size.ts";
import { trialProgress } from "./rate/trial_progress.ts";

/** Step of the latents of a preset without a target, in root mean squares. */
const FINE_STEP = 0.15;
/** Bytes that a row's or a column's step and scale take, about. */
const FIELD_BYTES = 0.6;
/** Digits of a step: they stand in the file. */
const STEP_DIGITS = 6;
/** Share of a trial that is coding where each trial is measured too. */
const CODING_SHARE = 0.5;

/**
 * The file at the step that meets the target, found trial by trial, or at a fine step where there is
 * no target; where there is a folder for it, in a file. Throws {@linkcode InputError} if the target
 * cannot be met.
 */
export async function encodeAtTarget(
  { base, matrices, parameters }: PreparedModel,
  encoder: StageEncoder,
  options: EncodeOptions,
  divergence?: DivergenceTarget,
): Promise<KeptBytes> {
  const before = options.preset === "rate" ? 0 : TRAINING_SHARE;
  const trials = trialProgress(options.onProgress, before);
  const encodeParts = async (step: number, progress: (share: number) => void) => {
    options.signal?.throwIfAborted();
    // What planning and the trial before left behind.
    collectGarbage();
    const rounded = Number(step.toPrecision(STEP_DIGITS));
    return await containerParts({ ...base, stages: await encoder.encodeAt(rounded, progress) });
  };
  const encode = async (step: number, progress: (share: number) => void) =>
    joinBytes((await encodeParts(step, progress)).map(bytesOf));
  const values = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const target = divergence === undefined ? targetBytes(options, parameters, values) : undefined;
  if ((divergence ?? target) === undefined) return await encode(FINE_STEP, trials.next());
  const estimate = encoder.estimateRate();
  const empty = await encodeContainer({ ...base, stages: encoder.outline() });
  const { passes } = runnerOf(options.workers);
  if (divergence !== undefined) {
    await passes?.beginSearch({ most: divergence.most, empty, measuredBy: divergence.measuredBy });
    const search = { estimate, values, advice: adviceFor(base) };
    const best = await meetDivergence(
      async (logStep, isBest) => {
        const progress = trials.next();
        const parts = await encodeParts(2 ** logStep, (share) => progress(CODING_SHARE * share));
        return await measureTrial(parts, isBest, {
          ...{ passes, divergence, parameters, signal: options.signal },
          progress: (share) => progress(CODING_SHARE + (1 - CODING_SHARE) * share),
        });
      },
      divergence.most,
      search,
    );
    return best ?? otherSearch();
  }
  const fields = matrices.reduce((sum, { rows, columns }) => sum + rows + columns, 0);
  const bare = empty.length, most = target! - (options.reservedBytes ?? 0);
  const { draftAt } = encoder;
  const files = options.scratchFolder === undefined
    ? undefined
    : new TrialFiles(options.scratchFolder);
  await passes?.beginSearch({ most, empty });
  const best = await meetSize<FileArray | readonly KeptBytes[] | undefined>(
    async (logStep, isBest) => {
      const parts = await encodeParts(2 ** logStep, trials.next());
      const value = parts.reduce((sum, part) => sum + byteLengthOf(part), 0);
      const isKept = isBest(value) && passes?.isLost !== true;
      const made = isKept ? files?.keep(parts) ?? parts : undefined;
      await passes?.endTrial(isKept);
      return { value, made };
    },
    most,
    {
      estimate,
      overhead: bare + FIELD_BYTES * fields,
      parameters,
      values,
      ...(draftAt && {
        async draftAt(logStep) {
          const bytes = await draftAt(2 ** logStep, trials.draft());
          await passes?.endTrial(false);
          return bare + bytes;
        },
      }),
    },
  );
  if (best === undefined) return otherSearch();
  return isFileArray(best) ? best : joinBytes(best.map(bytesOf));
}

/** How a trial is measured. */
interface TrialMeasurement {
  readonly passes: KeptPasses | undefined;
  readonly divergence: DivergenceTarget;
  readonly parameters: number;
  readonly progress: (share: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** What is measured of the file of some parts, which is made where that is not known or it is the best. */
async function measureTrial(
  parts: readonly KeptBytes[],
  isBest: (figures: TrialFigures) => boolean,
  { passes, divergence, parameters, progress, signal }: TrialMeasurement,
): Promise<MeasuredEncoding<Uint8Array | undefined>> {
  const file = () => joinBytes(parts.map(bytesOf));
  let encoded: Uint8Array | undefined, measured = passes?.measured;
  if (measured === undefined) {
    encoded = file();
    measured = await divergence.measure(await decompressWeights(encoded, { signal }), progress);
    await passes?.keepMeasured(measured);
  }
  const bytes = parts.reduce((sum, part) => sum + byteLengthOf(part), 0);
  const figures = { bitsPerWeight: 8 * bytes / parameters, divergence: measured };
  const isKept = isBest(figures) && passes?.isLost !== true;
  const kept = isKept ? encoded ?? file() : undefined;
  await passes?.endTrial(isKept);
  return { ...figures, encoded: kept };
}

/** Where the best trial's code was removed: what is kept is what it says it is, unless it was forged. */
function otherSearch(): never {
  throw new InputError("what is kept of the work is of another search; remove the work folder");
}

/**
 * Bytes that the file is to have, where there is a target: that by default is for what is coded, and a
 * model without matrices has nothing of that.
 */
function targetBytes(
  { bits, bytes, preset }: EncodeOptions,
  parameters: number,
  values: number,
): number | undefined {
  if (bytes !== undefined) return bytes;
  if (bits === undefined && (preset === "seed" || values === 0)) return undefined;
  return (bits ?? DEFAULT_BITS) * parameters / 8;
}

/** What is left to do where no step gives a small enough divergence. */
function adviceFor({ tensors }: PreparedModel["base"]): string {
  const narrowed = tensors.some(({ dtype, stored }) => stored !== undefined && stored !== dtype);
  return narrowed
    ? "allow more, or keep norms and biases bit for bit (losslessSmall, --lossless-small)"
    : "allow more";
}
