import type { StateDict } from "../../data/tensor.ts";
import { sampleToken } from "../generation/sample_token.ts";
import type { TokenRunner } from "../model/token_runner.ts";
import { WasmModel } from "../wasm/wasm_model.ts";
import { beginJob, type DrawingOptions, sequencesWithin } from "./drawn_job.ts";

/** What {@linkcode sampleOnWasm} is given. */
export interface WasmSamplingOptions extends DrawingOptions {
  readonly weights: StateDict;
  /** Most threads; the tokens do not depend on it. */
  readonly threads: number;
}

/** Most bytes of keys and values. */
const CACHE_BYTES = 2 ** 29;

/** Milliseconds after which other work has its turn. */
const TURN = 100;

/**
 * Draws sequences with our kernels, a job's at once: the tokens of each job, or undefined if the kernels
 * do not know the model.
 */
export async function sampleOnWasm(
  options: WasmSamplingOptions,
): Promise<Int32Array[] | undefined> {
  const { model: description, weights, jobs, length, threads, onProgress } = options;
  const model = WasmModel.create(description);
  if (model === undefined) return undefined;
  for (const name of model.missing) model.put(name, weights.get(name)!);
  const runner = await model.startRunner({ threads });
  try {
    const most = Math.max(1, sequencesWithin(CACHE_BYTES, description, length));
    const drawn: Int32Array[] = [];
    for (const job of jobs) {
      const { tokens, batch, begin, writers, random } = beginJob(job, options);
      // Every sequence has its own numbers, however many are drawn together.
      const numbers = Float64Array.from({ length: batch * (length - 1) }, () => random.uniform());
      for (let first = 0; first < batch; first += most) {
        const count = Math.min(most, batch - first);
        await drawTogether(runner, options, {
          first,
          begin: begin.slice(first, first + count),
          number: (row, position) => numbers[position * batch + row]!,
          next: (row, token) => writers?.[row]?.next(token) ?? token,
          put: (row, position, token) => tokens[row * length + position] = token,
          onStep: (share) => onProgress(drawn.length + (first + share * count) / batch),
        });
      }
      drawn.push(tokens);
    }
    return drawn;
  } finally {
    runner.dispose();
  }
}

/** Sequences that are drawn together, of which the first is row `first` of its job. */
interface Rows {
  readonly first: number;
  /** The first token of each. */
  readonly begin: Int32Array;
  /** A number from 0 to 1 that the token after a position is drawn by. */
  readonly number: (row: number, position: number) => number;
  /** What becomes of a token that was drawn. */
  readonly next: (row: number, token: number) => number;
  readonly put: (row: number, position: number, token: number) => void;
  /** Called with the share that is done. */
  readonly onStep: (share: number) => void;
}

async function drawTogether(
  runner: TokenRunner,
  { model: { vocabularySize }, length, signal }: WasmSamplingOptions,
  { first, begin, number, next, put, onStep }: Rows,
): Promise<void> {
  runner.reset();
  let current = begin;
  let turn = performance.now();
  for (let position = 0;; position++) {
    current.forEach((token, i) => put(first + i, position, token));
    onStep((position + 1) / length);
    if (position + 1 === length) return;
    if (performance.now() - turn > TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      turn = performance.now();
    }
    signal?.throwIfAborted();
    const logits = await runner.run(current, current.length);
    current = current.map((_, i) => {
      const own = logits.subarray(i * vocabularySize, (i + 1) * vocabularySize);
      return next(first + i, sampleToken(own, {}, { uniform: () => number(first + i, position) }));
    });
  }
}
