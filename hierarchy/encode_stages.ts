import type { ResolvedOptions } from "./compressor_options.ts";
import type { Stage } from "./container.ts";
import { decodeStage } from "./level_codecs.ts";
import { createAutoencoderLevels } from "./levels/autoencoder_level.ts";
import { createFieldLevel } from "./levels/field_level.ts";
import type { EncodeContext, EncodedLevel, Level, Signal } from "./levels/level.ts";
import { planAutoencoder } from "./levels/plan_autoencoder.ts";
import type { CodingWorkers } from "./workers/coding_workers.ts";
import { ScratchArrays } from "./workers/scratch_arrays.ts";
import { createTrellisLevel, type TrellisLevelOptions } from "./levels/trellis_level.ts";

/** A signal that is ready to be coded at any step; what does not depend on the step is done. */
export interface StageEncoder {
  /** Number of values that the step-dependent levels code. */
  readonly values: number;
  /** A first guess of the step that takes `bits` per parameter. */
  firstStep(bits: number): number;
  /** Codes everything at a quantization step; `activity` says in progress reports what it is. */
  encodeAt(step: number, activity: string): Promise<Stage[]>;
}

/** Step of the latents of a hybrid's first stage, in root mean squares. */
const HYBRID_LATENT_STEP = 0.6;

/** Options, and what codes matrices side by side. */
export interface EncodeOptions extends ResolvedOptions {
  /** The workers; whoever made them closes them. */
  readonly workers: CodingWorkers;
  /** Arrays that one trial after another uses. */
  readonly scratch?: ScratchArrays;
}

/** Prepares the hierarchy of a preset. */
export async function encodeStages(
  signal: Signal,
  options: EncodeOptions,
): Promise<StageEncoder> {
  if (options.preset === "rate") return stageEncoder([], [], signal, options);
  const prefix = await encodeChain(createAutoencoders(signal, options), signal, options);
  if (options.preset === "seed") {
    return stageEncoder([], prefix.encoded, prefix.handsOn, { ...options, states: 1 });
  }
  const latentCoders = coders(HYBRID_LATENT_STEP, { states: 1 });
  const coded = await encodeChain(latentCoders, prefix.handsOn, options);
  const first = [...prefix.encoded, ...coded.encoded];
  return stageEncoder([first], [], residualOf(signal, decodeStage(first, signal)), options);
}

function stageEncoder(
  before: readonly Stage[],
  prefix: Stage,
  signal: Signal,
  options: EncodeOptions,
): StageEncoder {
  const values = signal.reduce((sum, { data }) => sum + data.length, 0);
  const scratch = new ScratchArrays();
  return {
    values,
    firstStep: (bits) => 2 ** (2.2 - bits) / (options.states === 1 ? 1 : 2),
    async encodeAt(step, activity) {
      const levels = coders(step, options);
      const coded = await encodeChain(levels, signal, { ...options, scratch }, activity);
      return [...before, [...prefix, ...coded.encoded]];
    },
  };
}

/** The levels that spend the bits. */
function coders(step: number, options: TrellisLevelOptions): Level[] {
  return [createFieldLevel({ step }), createTrellisLevel(options)];
}

function createAutoencoders(signal: Signal, options: ResolvedOptions): Level[] {
  const { hiddenDims, numLevels, trainingSteps } = options;
  const values = signal.reduce((sum, { data }) => sum + data.length, 0);
  const widths = hiddenDims === undefined ? planAutoencoder(values, numLevels) : { hiddenDims };
  return createAutoencoderLevels({
    ...widths,
    ...(trainingSteps === undefined ? {} : { steps: trainingSteps }),
  });
}

async function encodeChain(
  levels: readonly Level[],
  signal: Signal,
  { seed, onProgress, signal: abort, workers, scratch }: EncodeOptions,
  activity?: string,
): Promise<{ encoded: EncodedLevel[]; handsOn: Signal }> {
  const encoded: EncodedLevel[] = [];
  let handsOn = signal;
  for (const [i, level] of levels.entries()) {
    const context: EncodeContext = {
      seed: seed + i,
      workers,
      ...(scratch === undefined ? {} : { scratch }),
      onProgress: (share) =>
        onProgress?.(activity ?? `${level.kind} level`, (i + share) / levels.length),
      ...(abort === undefined ? {} : { signal: abort }),
    };
    const result = await level.encode(handsOn, context);
    encoded.push(result.encoded);
    handsOn = result.handsOn;
  }
  return { encoded, handsOn };
}

function residualOf(signal: Signal, decoded: Signal): Signal {
  return signal.map((matrix, i) => {
    const other = decoded[i]!.data;
    return { ...matrix, data: matrix.data.map((value, j) => value - other[j]!) };
  });
}
