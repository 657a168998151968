import { createRandom } from "../../kan/numeric/random.ts";
import { type AdamState, stepAdam } from "../../kan/optimizers/adam.ts";
import type { ParameterVector } from "./parameter_vector.ts";
import type { Trainables, Trainer } from "./trainer.ts";

/** What {@linkcode tune} is given. */
export interface TuneOptions {
  /** Differentiates the divergence. */
  readonly trainer: Trainer;
  /** Where tuning begins. */
  readonly start: Trainables;
  /** What of it is trained. */
  readonly layout: ParameterVector;
  /** Chunks of tokens that steps are taken on, all of one length. */
  readonly chunks: readonly Int32Array[];
  /** Chunks that decide which step is kept: none of the others. */
  readonly heldOut: readonly Int32Array[];
  /** Number of steps. */
  readonly steps: number;
  /** Tokens a step; 2,048 if omitted. */
  readonly tokensPerStep?: number;
  /** Adam's rate at the start, from which it falls to 0 along half a cosine; .001 if omitted. */
  readonly rate?: number;
  /** Seed of the order of the chunks; 0 if omitted. */
  readonly seed?: number;
  /** What a file would hold of trained values: that is what is judged on the held-out chunks. */
  readonly round?: (values: Trainables) => Trainables;
  /** Where to go on, from {@linkcode TuneOptions.onState} of a run with the same options. */
  readonly state?: TuneState;
  /** Called after each step that was judged on the held-out chunks, and awaited. */
  readonly onState?: (state: TuneState) => Promise<void>;
  /** Called with the number of steps that are done. */
  readonly onProgress?: (steps: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The divergence on held-out text after a number of steps. */
export interface TunePoint {
  readonly step: number;
  /** Mean KL(original ‖ tuned) in nats. */
  readonly loss: number;
}

/** Where tuning stands: enough to go on as if it had never stopped. */
export interface TuneState {
  readonly parameters: Float64Array;
  readonly adam: AdamState;
  /** The parameters of the best point so far. */
  readonly best: Float64Array;
  /** What the held-out chunks said, from step 0 on. */
  readonly points: readonly TunePoint[];
}

/** What tuning gave. */
export interface TuneResult {
  /** The values of the best step, rounded; those of the start where no step was better. */
  readonly values: Trainables;
  /** Which step that was; 0 for the start. */
  readonly step: number;
  /** Divergence on the held-out chunks at the start, and of the best step. */
  readonly before: number;
  readonly after: number;
  /** What the held-out chunks said on the way. */
  readonly points: readonly TunePoint[];
}

const DEFAULT_TOKENS = 2048, DEFAULT_RATE = 1e-3;
/** How many times held-out chunks are looked at, about. */
const JUDGEMENTS = 20;
/** So many looks without a better one end it. */
const PATIENCE = 5;

/**
 * Trains gains and vectors by Adam on the divergence from the original, and keeps the step that is
 * best on held-out text. The same options give the same values on an engine that is deterministic,
 * whether a run is stopped and resumed or not.
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { trainer, layout, chunks, heldOut, steps, rate = DEFAULT_RATE, signal } = options;
  const { round = (values) => values } = options;
  const stop = signal === undefined ? {} : { signal };
  const judge = async (parameters: Float64Array) =>
    await trainer.loss(heldOut, round(layout.unflatten(parameters)), stop);
  const every = Math.max(1, Math.round(steps / JUDGEMENTS));
  const resumed = options.state?.parameters.length === layout.length ? options.state : undefined;
  let state = resumed ?? await beginAt(layout.flatten(options.start), judge);
  while (state.adam.step < steps && !isStuck(state.points)) {
    signal?.throwIfAborted();
    const at = layout.unflatten(state.parameters);
    const batch = batchOf(chunks, state.adam.step, options);
    const { gradients } = await trainer.step(batch, at, stop);
    const learningRate = rate * (1 + Math.cos(Math.PI * state.adam.step / steps)) / 2;
    const gradient = layout.flattenGradient(gradients);
    const moved = stepAdam(state.parameters, gradient, { learningRate }, state.adam);
    state = { ...state, parameters: moved.parameters, adam: moved.state };
    const { step } = state.adam;
    if (step % every === 0 || step === steps) {
      const loss = await judge(state.parameters);
      const isBest = state.points.every((point) => loss < point.loss);
      const points = [...state.points, { step, loss }];
      state = { ...state, points, best: isBest ? state.parameters : state.best };
      await options.onState?.(state);
    }
    options.onProgress?.(step);
  }
  const [first] = state.points;
  const best = bestOf(state.points);
  const values = best.step === 0 ? options.start : round(layout.unflatten(state.best));
  return { values, step: best.step, before: first!.loss, after: best.loss, points: state.points };
}

async function beginAt(
  parameters: Float64Array,
  judge: (parameters: Float64Array) => Promise<number>,
): Promise<TuneState> {
  const zeros = () => new Float64Array(parameters.length);
  return {
    parameters,
    adam: { step: 0, first: zeros(), second: zeros() },
    best: parameters,
    points: [{ step: 0, loss: await judge(parameters) }],
  };
}

function bestOf(points: readonly TunePoint[]): TunePoint {
  return points.reduce((best, point) => point.loss < best.loss ? point : best);
}

function isStuck(points: readonly TunePoint[]): boolean {
  return points.length - 1 - points.indexOf(bestOf(points)) >= PATIENCE;
}

/** The chunks of a step: all chunks in one random order after another. */
function batchOf(
  chunks: readonly Int32Array[],
  step: number,
  { tokensPerStep = DEFAULT_TOKENS, seed = 0 }: TuneOptions,
): Int32Array[] {
  const count = Math.max(1, Math.round(tokensPerStep / chunks[0]!.length));
  const orders = new Map<number, number[]>();
  return Array.from({ length: count }, (_, i) => {
    const number = step * count + i;
    const round = Math.floor(number / chunks.length);
    const order = orders.get(round) ?? randomOrder(chunks.length, seed + round);
    orders.set(round, order);
    return chunks[order[number % chunks.length]!]!;
  });
}

function randomOrder(length: number, seed: number): number[] {
  const random = createRandom(seed);
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const other = random.integer(i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}
