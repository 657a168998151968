import { type EntropyModelFit, fitEntropyModel } from "./fit_entropy_model.ts";
import { planSegments } from "../scan/pieces.ts";
import { putIntegers } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";
import { symbolCosts } from "../entropy/symbol_costs.ts";
import { laplacianModel, symbolTables } from "../entropy/symbol_model.ts";
import { quantizersOf } from "../scan/trellis.ts";
import type { QuantizeTask } from "../workers/coding_tasks.ts";
import { ScratchArrays } from "../matrix/scratch_arrays.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import { runnerOf } from "../workers/coding_workers.ts";
import type { RunTasks } from "../workers/task_runner.ts";
import type { KeptFit, StepFit } from "./kept_fit.ts";
import type { EncodeContext, EncodedLevel, Level } from "./level.ts";
import { sendMatrix } from "../matrix/held_matrix.ts";
import type { Matrices, Matrix, MatrixShape } from "../matrix/matrix.ts";
import { PartWriter } from "../../data/parts_in_file.ts";
import { codesName } from "./trellis_codec.ts";

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

/** Segments that are in memory at once where streams go to a file: some 25 MB. */
const SEGMENTS_AT_ONCE = 256;

/**
 * The level that spends the bits: quantizes matrices that are already in steps (see the field level)
 * to integers, and entropy-codes them with a KAN of two layers. A last level: hands nothing on.
 */
export function createTrellisLevel(
  { states, rateWeight = 0, ratePasses = DEFAULT_RATE_PASSES, kept, step = 1 }: TrellisLevelOptions,
): Level {
  return {
    kind: "trellis",
    async encode(matrices: Matrices, context: EncodeContext) {
      const { onProgress, signal: abort, scratch = new ScratchArrays() } = context;
      const run = runnerOf(context.workers);
      const earlier = rateWeight > 0 ? kept?.at(step) : undefined;
      const passes = earlier === undefined && rateWeight > 0 ? ratePasses : 1;
      let guess: Omit<StepFit, "step"> | undefined = earlier;
      let fit: EntropyModelFit | undefined;
      for (let pass = 0; pass < passes; pass++) {
        const searched = pass < passes - 1 ? Math.min(states, FIRST_STATES) : states;
        const tasks = quantizeTasks(searched, matrices, rateWeight, guess, scratch);
        const quantized = await run("quantize", tasks, {
          onDone: (done) => onProgress?.((pass + done / tasks.length / 2) / passes),
          ...(abort && { signal: abort }),
        });
        fit = await fitEntropyModel(searched, quantized, run, guess?.model, abort);
        guess = { model: fit.model, scales: fit.matrices.map(({ scales }) => scales) };
      }
      if (rateWeight > 0) kept?.keep({ ...guess!, step });
      const file = scratch.file("streams");
      const streams = await encodeStreams(states, fit!, matrices, run, { file, abort });
      onProgress?.(1);
      const encoded: EncodedLevel = { kind: "trellis", parameters: { states }, streams };
      return { encoded, output: [] };
    },
  };
}

/** The matrices to quantize, under the rate term of an earlier fit or, before there is one, of a guess. */
function quantizeTasks(
  states: number,
  matrices: Matrices,
  rateWeight: number,
  guess: Omit<StepFit, "step"> | undefined,
  scratch: ScratchArrays,
): QuantizeTask[] {
  const task = (matrix: Matrix, i: number) => ({
    states,
    matrix: sendMatrix(matrix),
    indices: scratch.int8Array(`indices-${i}`, matrix.rows * matrix.columns),
  });
  if (rateWeight === 0) return matrices.map(task);
  const model = guess?.model ?? laplacianModel(quantizersOf({ states }));
  const costs = shareFloat32Array(symbolCosts(symbolTables(model)));
  return matrices.map((matrix, i) => {
    const rate = { rateWeight, costs, ...(guess && { scales: guess.scales[i]! }) };
    return { ...task(matrix, i), rate };
  });
}

async function encodeStreams(
  states: number,
  { matrices, model }: EntropyModelFit,
  shapes: readonly MatrixShape[],
  run: RunTasks,
  { file, abort }: {
    /** Where the streams go to, if not to memory. */
    readonly file: string | undefined;
    readonly abort: AbortSignal | undefined;
  },
): Promise<EncodedLevel["streams"]> {
  const side = new RansEncoder();
  putIntegers(side, model.coefficients);
  matrices.forEach(({ scales }, i) => {
    // Where steps are large quotients are small: what is coded is the scale of their product.
    const { rowColumnSteps } = shapes[i]!;
    putIntegers(side, scales.rows.map((value, row) => value + (rowColumnSteps?.rows[row] ?? 0)));
    putIntegers(side, scales.columns.map((value, j) => value + (rowColumnSteps?.columns[j] ?? 0)));
  });
  const tables = symbolTables(model);
  const tasks = planSegments(matrices).map((segment) => {
    const first = segment[0]!.matrix, last = segment.at(-1)!.matrix;
    return {
      states,
      tables,
      segment: segment.map((piece) => ({ ...piece, matrix: piece.matrix - first })),
      matrices: matrices.slice(first, last + 1),
    };
  });
  const encode = (some: typeof tasks) => run("encode", some, { ...(abort && { signal: abort }) });
  if (file === undefined) {
    const codes = await encode(tasks);
    return new Map([
      ["fields", side.finish()],
      ...codes.map((bytes, i) => [codesName(i), bytes] as const),
    ]);
  }
  const writer = new PartWriter(file);
  try {
    await writer.write("fields", side.finish());
    for (let first = 0; first < tasks.length; first += SEGMENTS_AT_ONCE) {
      const codes = await encode(tasks.slice(first, first + SEGMENTS_AT_ONCE));
      for (const [i, bytes] of codes.entries()) await writer.write(codesName(first + i), bytes);
    }
  } finally {
    writer.close();
  }
  return writer.parts();
}
