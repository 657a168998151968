import { fitEntropyModel } from "./fit_entropy_model.ts";
import { symbolCosts } from "../entropy/symbol_costs.ts";
import { laplacianModel, symbolTables } from "../entropy/symbol_model.ts";
import { quantizersOf } from "../scan/trellis.ts";
import type { QuantizeTask } from "../workers/coding_tasks.ts";
import { ScratchArrays } from "../matrix/scratch_arrays.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import { runnerOf } from "../workers/coding_workers.ts";
import type { FoundPass } from "../workers/kept_passes.ts";
import type { KeptFit, StepFit } from "./kept_fit.ts";
import type { EncodeContext, EncodedLevel, Level } from "./level.ts";
import { sendMatrix } from "../matrix/held_matrix.ts";
import type { Matrices, Matrix } from "../matrix/matrix.ts";
import { codesIn, encodeStreams, keptStreams, lostStreams } from "./encode_streams.ts";

/** Settings of {@linkcode createTrellisLevel}. */
export interface TrellisLevelOptions {
  /** Trellis states: 1 is a uniform scalar quantizer. */
  readonly states: number;
  /**
   * Squared steps that one bit is worth while quantizing, 0 by default. About 0.36 minimises the
   * error of independent Gaussian values at a given rate; in a network less is best, because the
   * rate term shrinks weights coherently.
   */
  readonly rateWeight?: number;
  /**
   * Passes of quantizing under the rate term, 2 by default: the first with a guess of the entropy
   * model, each other one with the model fit to the one before. Large rate weights at low rates take
   * about ten to converge.
   */
  readonly ratePasses?: number;
  /** Fits of earlier steps, which stand for the passes before the last where one is near. */
  readonly kept?: KeptFit;
  /** The step that matrices were divided by; needed where fits are kept. */
  readonly step?: number;
}

const DEFAULT_RATE_PASSES = 2;
/**
 * States of the trellis in the passes before the last: the entropy model that their indices give is as
 * good, in a fraction of the time.
 */
export const FIRST_STATES = 8;

/** Shares of a pass that are done when its matrices are quantized, and when they are refined, about. */
const QUANTIZED = 0.6, REFINED = 0.9;

/** A fit, without the step that it is of. */
export type Fit = Omit<StepFit, "step">;

/**
 * The level that spends the bits: quantizes matrices that are already in steps (see the field level)
 * to integers, and entropy-codes them with a KAN of two layers. A last level: hands nothing on.
 */
export function createTrellisLevel(options: TrellisLevelOptions): Level {
  const { states, rateWeight = 0, ratePasses = DEFAULT_RATE_PASSES, kept, step = 1 } = options;
  return {
    kind: "trellis",
    async encode(matrices: Matrices, context: EncodeContext) {
      const { onProgress, scratch = new ScratchArrays() } = context;
      const earlier = rateWeight > 0 ? kept?.at(step) : undefined;
      const passes = earlier === undefined && rateWeight > 0 ? ratePasses : 1;
      const run = (pass: number, guess: Fit | undefined) =>
        runPass(matrices, { ...context, scratch }, {
          states: pass < passes - 1 ? Math.min(states, FIRST_STATES) : states,
          rateWeight,
          guess,
          isCoded: pass === passes - 1,
          progress: (share) => onProgress?.((pass + share) / passes),
        });
      let guess: Fit | undefined = earlier;
      for (let pass = 0; pass < passes - 1; pass++) guess = await run(pass, guess);
      const { model, scales, streams } = await run(passes - 1, guess);
      if (rateWeight > 0) kept?.keep({ model, scales, step });
      return { encoded: { kind: "trellis", parameters: { states }, streams }, output: [] };
    },
  };
}

/** A fit of all matrices. */
type PassFit = Pick<FoundPass, "model" | "scales">;

/** The streams of a pass whose indices are not coded. */
const NONE: EncodedLevel["streams"] = new Map();

/** A pass over the matrices. */
interface Pass {
  readonly states: number;
  readonly rateWeight: number;
  /** The fit of an earlier pass, if there is one. */
  readonly guess: Fit | undefined;
  /** Whether the indices are coded. */
  readonly isCoded: boolean;
  readonly progress: (share: number) => void;
}

/** Quantizes, fits and codes; takes what is kept of an earlier run. */
async function runPass(
  matrices: Matrices,
  context: EncodeContext & { readonly scratch: ScratchArrays },
  { states, rateWeight, guess, isCoded, progress }: Pass,
): Promise<PassFit & Pick<EncodedLevel, "streams">> {
  const { scratch, signal } = context;
  const run = runnerOf(context.workers);
  const file = scratch.file("streams");
  const tasks = quantizeTasks(states, matrices, rateWeight, guess, scratch);
  const { passes, codedBy } = run;
  const name = await passes?.begin({
    ...{ tasks, model: guess?.model, isCoded },
    ...(isCoded && codedBy !== undefined && { codedBy }),
  });
  const found = name === undefined ? undefined : await passes!.find(name);
  if (found !== undefined) {
    const { model, scales } = found;
    const streams = isCoded ? await streamsOf(found, matrices, context) : NONE;
    if (streams !== undefined) {
      progress(1);
      return { model, scales, streams };
    }
  }
  if (name !== undefined) await passes!.enter(name);
  const options = { ...(signal && { signal }) };
  const quantized = await run("quantize", tasks, {
    onDone: (done) => progress(QUANTIZED * done / tasks.length),
    isCoded,
    ...options,
  });
  const fit = await fitEntropyModel(states, quantized, run, {
    start: guess?.model,
    onProgress: (share) => progress(QUANTIZED + (REFINED - QUANTIZED) * share),
    ...options,
  });
  const { model } = fit, scales = fit.matrices.map(({ scales }) => scales);
  const streams = !isCoded ? NONE : await encodeStreams(states, fit, matrices, run, {
    file,
    onProgress: (share) => progress(REFINED + (1 - REFINED) * share),
    ...options,
  });
  if (name !== undefined) await passes!.keep(name, { model, scales }, codesIn(streams));
  progress(1);
  return { model, scales, streams };
}

/** The streams of a pass that is kept; undefined where they are not there though they should be. */
async function streamsOf(
  pass: FoundPass,
  matrices: Matrices,
  { workers, scratch, signal }: EncodeContext,
): Promise<EncodedLevel["streams"] | undefined> {
  if (pass.isLost) return lostStreams(pass, matrices);
  const { passes } = runnerOf(workers);
  const file = scratch?.file("streams");
  return await keptStreams(pass, matrices, (code) => passes!.code(code), { file, signal });
}

/**
 * The matrices to quantize, under the rate term of an earlier fit or, before there is one, of a guess.
 * `places` name the scratch arrays that the indices go to.
 */
export function quantizeTasks(
  states: number,
  matrices: Matrices,
  rateWeight: number,
  guess: Omit<StepFit, "step"> | undefined,
  scratch: ScratchArrays,
  places: readonly (string | number)[] = [...matrices.keys()],
): QuantizeTask[] {
  const task = (matrix: Matrix, i: number) => ({
    states,
    matrix: sendMatrix(matrix),
    indices: scratch.int8Array(`indices-${places[i]!}`, matrix.rows * matrix.columns),
  });
  if (rateWeight === 0) return matrices.map(task);
  const model = guess?.model ?? laplacianModel(quantizersOf({ states }));
  const costs = shareFloat32Array(symbolCosts(symbolTables(model)));
  return matrices.map((matrix, i) => {
    const scales = guess?.scales[i];
    const rate = { rateWeight, costs, ...(scales && { scales }) };
    return { ...task(matrix, i), rate };
  });
}
