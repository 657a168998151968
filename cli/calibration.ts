import { InputError, type ModelSource, type StateDict } from "../data/mod.ts";
import { calibrate, describeModel, type TensorMetrics, tensorMetrics } from "../eval/mod.ts";
import { readUtf8 } from "./measure.ts";
import type { Report } from "./phases.ts";
import type { CompressOptions } from "./program.ts";

/** Tokens of a text that are used unless the user asks for more or fewer. */
const TEXT_TOKENS = 65_536;
/** Chunks are at most so long. */
const LONGEST_CHUNK = 512;

/** How the calibration of one run is steered and stopped. */
export interface CalibrationRun {
  /** Told how far it is. */
  readonly report: Report;
  /** Stops it. */
  readonly signal: AbortSignal;
}

/**
 * Runs the calibration text through the model and finds what errors in each matrix cost. Throws
 * {@linkcode InputError} where the text is too short or does not fit the model.
 */
export async function calibrationMetrics(
  model: ModelSource,
  weights: StateDict,
  options: CompressOptions,
  { report, signal }: CalibrationRun,
): Promise<TensorMetrics> {
  const { calibration: path, backend, threads, seed } = options;
  const description = describeModel(model.config, weights.keys());
  if (path === undefined) return new Map();
  const tokenizer = await model.tokenizer();
  const contextLength = Math.min(description.contextLength, LONGEST_CHUNK);
  const all = tokenizer.encode(await readUtf8(path, "--calibration"));
  const tokens = spread(all, options.calibrationTokens ?? TEXT_TOKENS, contextLength);
  if (tokens.length < contextLength) {
    throw new InputError(
      `${path}: has ${tokens.length} tokens, less than one chunk of ${contextLength}; ` +
        `give more text, or --data-free`,
    );
  }
  const { addsBos, bosTokenId } = tokenizer;
  const calibration = await calibrate({
    config: model.config,
    weights,
    tokens,
    contextLength,
    ...(addsBos && bosTokenId !== undefined ? { bosTokenId } : {}),
    backend,
    threads,
    seed,
    onProgress: (share) => report(share),
    signal,
  });
  return tensorMetrics(description, calibration);
}

/** At most `limit` tokens in whole chunks, spread evenly over the text. */
export function spread(tokens: Int32Array, limit: number, chunk: number): Int32Array {
  const available = Math.floor(tokens.length / chunk);
  const wanted = Math.min(available, Math.max(1, Math.floor(limit / chunk)));
  if (wanted === available) return tokens;
  const chosen = new Int32Array(wanted * chunk);
  for (let i = 0; i < wanted; i++) {
    const start = Math.floor(i * available / wanted) * chunk;
    chosen.set(tokens.subarray(start, start + chunk), i * chunk);
  }
  return chosen;
}
