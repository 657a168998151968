import { RansEncoder } from "../entropy/rans.ts";
import { ScratchArrays } from "../matrix/scratch_arrays.ts";
import type { Matrices } from "../matrix/matrix.ts";
import { planSegments } from "../scan/pieces.ts";
import { runnerOf } from "../workers/coding_workers.ts";
import type { QuantizeTask } from "../workers/coding_tasks.ts";
import type { PassResult } from "../workers/kept_passes.ts";
import { fieldsStream, segmentTasks } from "./encode_streams.ts";
import { fitEntropyModel } from "./fit_entropy_model.ts";
import type { EncodeContext } from "./level.ts";
import { FIRST_STATES, type Fit, quantizeTasks } from "./trellis_level.ts";

/** How {@linkcode draftTrellis} quantizes. */
export interface TrellisDraftOptions {
  /** Trellis states of the trial that follows. */
  readonly states: number;
  /** Squared steps that one bit is worth. */
  readonly rateWeight: number;
  /** The fit of an earlier draft, where one is near. */
  readonly guess: Fit | undefined;
  /** Names of the scratch arrays that indices go to, of which those of a level's matrix i are `i`. */
  readonly places: readonly string[];
}

/** What {@linkcode draftTrellis} gives of each matrix, and of all. */
export interface TrellisDraft extends Pick<PassResult, "model" | "scales"> {
  /** Bits of each matrix as they are coded, without what ends streams. */
  readonly bits: readonly number[];
  /** Bytes of each matrix' scales. */
  readonly fieldBytes: readonly number[];
  /** Bytes of the symbol model. */
  readonly modelBytes: number;
  /** Bytes that end a stream. */
  readonly endBytes: number;
}

/** What of a pass is looked at: lengths of its code streams, those of one matrix after another. */
type DraftPass = Pick<PassResult, "model" | "scales"> & {
  readonly codes: readonly { readonly length: number }[];
};

/** The share of a draft that is done when its matrices are quantized. */
const QUANTIZED = 0.75;

/**
 * About what `createTrellisLevel` makes of matrices: quantizes them by at most
 * {@linkcode FIRST_STATES} states, in one pass, and codes each by itself.
 */
export async function draftTrellis(
  matrices: Matrices,
  { states, rateWeight, guess, places }: TrellisDraftOptions,
  context: EncodeContext,
): Promise<TrellisDraft> {
  const { onProgress, scratch = new ScratchArrays(), workers } = context;
  const searched = Math.min(states, FIRST_STATES);
  const tasks = quantizeTasks(searched, matrices, rateWeight, guess, scratch, places);
  const { passes } = runnerOf(workers);
  const name = await passes?.begin({ tasks, model: guess?.model, isCoded: true });
  const found = name === undefined ? undefined : await passes!.find(name);
  const { model, scales, codes } = found ?? await runDraft(searched, tasks, guess, name, context);
  const endBytes = new RansEncoder().finish().length;
  let next = 0;
  const bits = matrices.map((matrix) =>
    planSegments([matrix]).reduce((sum) => sum + 8 * (codes[next++]!.length - endBytes), 0)
  );
  const modelBytes = fieldsStream({ model, scales: [] }, []).length;
  const fieldBytes = scales.map((own, i) =>
    fieldsStream({ model, scales: [own] }, [matrices[i]!]).length - modelBytes
  );
  onProgress?.(1);
  return { model, scales, bits, fieldBytes, modelBytes, endBytes };
}

/** Quantizes, fits and codes; keeps what it comes to under `name`, if there is one. */
async function runDraft(
  states: number,
  tasks: readonly QuantizeTask[],
  guess: Fit | undefined,
  name: string | undefined,
  { onProgress, signal, workers }: EncodeContext,
): Promise<DraftPass> {
  const run = runnerOf(workers);
  if (name !== undefined) await run.passes!.enter(name);
  const stop = signal && { signal };
  const quantized = await run("quantize", tasks, {
    onDone: (done) => onProgress?.(QUANTIZED * done / tasks.length),
    ...stop,
  });
  const fit = await fitEntropyModel(states, quantized, run, { start: guess?.model, signal });
  const { model } = fit, scales = fit.matrices.map(({ scales }) => scales);
  const segments = fit.matrices.flatMap((matrix) =>
    segmentTasks(states, { matrices: [matrix], model })
  );
  const codes = await run("encode", segments, { ...stop });
  if (name !== undefined) await run.passes!.keep(name, { model, scales }, codes);
  return { model, scales, codes };
}
