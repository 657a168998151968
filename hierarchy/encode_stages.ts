import { draftOf } from "./draft_stages.ts";
import { chooseRateWeight } from "./rate/choose_rate_weight.ts";
import type { ResolvedOptions } from "./compressor_options.ts";
import type { EncodeContext, EncodedLevel, Level, Stage } from "./levels/level.ts";
import { decodeStage } from "./levels/level_codecs.ts";
import { createAutoencoderLevels } from "./levels/autoencoder_level.ts";
import { createFieldLevel } from "./levels/field_level.ts";
import type { Matrices } from "./matrix/matrix.ts";
import { KeptFit } from "./levels/kept_fit.ts";
import { planAutoencoder } from "./levels/plan_autoencoder.ts";
import { ScratchArrays } from "./matrix/scratch_arrays.ts";
import { codesName } from "./levels/trellis_codec.ts";
import { createTrellisLevel, type TrellisLevelOptions } from "./levels/trellis_level.ts";
import { shiftSteps, uniformShifts } from "./rate/equalize_rates.ts";
import { estimateRate, type RateEstimate } from "./rate/rate_estimate.ts";
import { planSegments } from "./scan/pieces.ts";
import type { CodingWorkers } from "./workers/coding_workers.ts";
import { shareFloat32Array } from "../workers/shared_array.ts";
import { finishWithBreaks } from "../workers/steps.ts";

/** Matrices that are ready to be coded at any step; what does not depend on the step is done. */
export interface StageEncoder {
  /** Estimates what the step-dependent levels take. */
  estimateRate(): RateEstimate;
  /** The stages with everything but what the streams of the step-dependent levels hold. */
  outline(): Stage[];
  /**
   * About how many bytes the streams of the step-dependent levels take at a step, by a quick trial of a
   * sample; absent where no trial is much quicker than {@linkcode encodeAt}, which then begins where
   * the draft ended.
   */
  readonly draftAt?: (step: number, progress: (share: number) => void) => Promise<number>;
  /** Codes everything at a quantization step; `progress` hears which share is done. */
  encodeAt(step: number, progress: (share: number) => void): Promise<Stage[]>;
}

/** Step of the latents of a hybrid's first stage, in root mean squares. */
const HYBRID_LATENT_STEP = 0.6;

/** Options, and what codes matrices side by side. */
export interface EncodeOptions extends ResolvedOptions {
  /** Trellis states. */
  readonly states: number;
  /** The workers; whoever made them closes them. */
  readonly workers: CodingWorkers;
  /** Arrays that one trial after another uses. */
  readonly scratch?: ScratchArrays;
}

/** Share of the progress that is before the trials, for the presets that train autoencoders. */
export const TRAINING_SHARE = 0.7;

/** Prepares the hierarchy of a preset; reports progress up to {@linkcode TRAINING_SHARE}. */
export async function encodeStages(
  matrices: Matrices,
  options: EncodeOptions,
): Promise<StageEncoder> {
  if (options.preset === "rate") return stageEncoder([], [], matrices, options);
  const report = (share: number) =>
    options.onProgress?.("autoencoder levels", TRAINING_SHARE * share);
  const prefix = await encodeChain(
    createAutoencoders(matrices, options),
    matrices,
    options,
    report,
  );
  if (options.preset === "seed") {
    return stageEncoder([], prefix.encoded, prefix.output, { ...options, states: 1 });
  }
  const latentCoders = coders(HYBRID_LATENT_STEP, { states: 1 });
  const coded = await encodeChain(latentCoders, prefix.output, options, () => {});
  const first = [...prefix.encoded, ...coded.encoded];
  const decoded = await finishWithBreaks(decodeStage(first, matrices), options.signal);
  return stageEncoder([first], [], residualOf(matrices, decoded), options);
}

function stageEncoder(
  before: readonly Stage[],
  prefix: Stage,
  matrices: Matrices,
  options: EncodeOptions,
): StageEncoder {
  let estimate: RateEstimate | undefined;
  const rates = () => estimate ??= estimateRate(matrices, options.states === 1 ? 1 : 2);
  const scratch = new ScratchArrays(options.scratchFolder);
  const kept = new KeptFit();
  const { states, rateWeight = chooseRateWeight(states, matrices) } = options;
  const shiftsAt = (step: number) =>
    options.uniform ? uniformShifts(rates(), Math.log2(step)) : undefined;
  const movedBy = (shifts: readonly number[] | undefined) =>
    shifts === undefined ? matrices : shiftSteps(matrices, shifts);
  const draft = draftOf(matrices, rates, { states, rateWeight, kept });
  return {
    estimateRate: rates,
    outline: () => [...before, [...prefix, ...outlineOf(matrices, states)]],
    ...(draft && {
      async draftAt(step, progress) {
        const shifts = shiftsAt(step);
        const context = contextOf({ ...options, scratch }, progress);
        return await draft.bytesAt(step, movedBy(shifts), shifts, context);
      },
    }),
    async encodeAt(step, progress) {
      const levels = coders(step, { states, rateWeight, kept });
      const { encoded } = await encodeChain(
        levels,
        movedBy(shiftsAt(step)),
        { ...options, scratch },
        progress,
      );
      return [...before, [...prefix, ...encoded]];
    },
  };
}

/** The step-dependent levels with empty streams. */
function outlineOf(matrices: Matrices, states: number): Stage {
  const codes = planSegments(matrices).map((_, i) => [codesName(i), new Uint8Array()] as const);
  return [
    { kind: "field", parameters: { step: 1 }, streams: new Map([["steps", new Uint8Array()]]) },
    {
      kind: "trellis",
      parameters: { states },
      streams: new Map([["fields", new Uint8Array()], ...codes]),
    },
  ];
}

/** The levels that spend the bits. */
function coders(step: number, options: TrellisLevelOptions): Level[] {
  return [createFieldLevel({ step }), createTrellisLevel({ ...options, step })];
}

function createAutoencoders(matrices: Matrices, options: ResolvedOptions): Level[] {
  const { hiddenDims, numLevels, trainingSteps } = options;
  const values = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const widths = hiddenDims === undefined ? planAutoencoder(values, numLevels) : { hiddenDims };
  return createAutoencoderLevels({
    ...widths,
    ...(trainingSteps === undefined ? {} : { steps: trainingSteps }),
  });
}

async function encodeChain(
  levels: readonly Level[],
  matrices: Matrices,
  options: EncodeOptions,
  progress: (share: number) => void,
): Promise<{ encoded: EncodedLevel[]; output: Matrices }> {
  const encoded: EncodedLevel[] = [];
  let output = matrices;
  for (const [i, level] of levels.entries()) {
    const report = (share: number) => progress((i + share) / levels.length);
    const context = { ...contextOf(options, report), seed: options.seed + i };
    const result = await level.encode(output, context);
    encoded.push(result.encoded);
    output = result.output;
  }
  return { encoded, output };
}

function contextOf(
  { seed, signal, workers, scratch }: EncodeOptions,
  onProgress: (share: number) => void,
): EncodeContext {
  return { seed, workers, onProgress, ...(scratch && { scratch }), ...(signal && { signal }) };
}

function residualOf(matrices: Matrices, decoded: Matrices): Matrices {
  return matrices.map((matrix, i) => {
    const other = decoded[i]!.data;
    // Workers see it without a copy.
    return {
      ...matrix,
      data: shareFloat32Array(matrix.data.map((value, j) => value - other[j]!)),
    };
  });
}
