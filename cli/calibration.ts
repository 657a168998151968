import {
  InputError,
  type ModelSource,
  readEmbeddedCalibration,
  type StateDict,
  type TextTokenizer,
} from "../data/mod.ts";
import {
  calibrate,
  describeModel,
  sampleTokens,
  type TensorMetrics,
  tensorMetrics,
} from "../eval/mod.ts";
import { readUtf8 } from "./measure.ts";
import type { Phases } from "./phases.ts";
import type { CompressOptions } from "./program.ts";

/** Tokens of a text that are used unless the user asks for more or fewer. */
const TEXT_TOKENS = 65_536;
/** Tokens that a model writes where there is no text. */
const SAMPLED_TOKENS = 16_384;
/** Chunks are at most so long. */
const LONGEST_CHUNK = 512;

/** The options that say how to calibrate. */
export type CalibrationOptions = Pick<
  CompressOptions,
  "calibration" | "calibrationTokens" | "backend" | "threads" | "seed"
>;

/** What is calibrated. */
export interface CalibratedModel {
  /** Where it comes from. */
  readonly source: ModelSource;
  /** Its weights. */
  readonly weights: StateDict;
  /** Whether it is the embedded model, whose calibration text is embedded too. */
  readonly embedded: boolean;
}

/**
 * Finds what errors in each matrix cost, by running a text through the model: that of
 * `--calibration`, or one that the model writes itself. Throws {@linkcode InputError} where the text
 * is too short or does not fit the model.
 */
export async function calibrationMetrics(
  model: CalibratedModel,
  options: CalibrationOptions,
  phases: Phases,
  signal: AbortSignal,
): Promise<TensorMetrics> {
  const { source: { config }, weights } = model;
  const { backend, threads, seed } = options;
  const description = describeModel(config, weights.keys());
  const tokenizer = await model.source.tokenizer();
  const contextLength = Math.min(description.contextLength, LONGEST_CHUNK);
  const tokens = await calibrationTokens(model, tokenizer, contextLength, options, phases, signal);
  const { addsBos, bosTokenId } = tokenizer;
  return await phases.run("calibrate", async (report) => {
    const calibration = await calibrate({
      config,
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
  });
}

async function calibrationTokens(
  { source: { config }, weights, embedded }: CalibratedModel,
  tokenizer: TextTokenizer,
  contextLength: number,
  { calibration: path, calibrationTokens: limit, backend, threads, seed }: CalibrationOptions,
  phases: Phases,
  signal: AbortSignal,
): Promise<Int32Array> {
  if (path === undefined && !embedded) {
    const sequences = Math.ceil((limit ?? SAMPLED_TOKENS) / contextLength);
    const firstToken = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
    const options = { config, weights, sequences, length: contextLength, backend, threads, seed };
    return await phases.run("sample", (report) =>
      sampleTokens({
        ...options,
        ...(firstToken === undefined ? {} : { firstToken }),
        onProgress: (share) => report(share),
        signal,
      }));
  }
  const text = path === undefined
    ? await readEmbeddedCalibration()
    : await readUtf8(path, "--calibration");
  const tokens = tokenizer.encode(text);
  if (tokens.length < contextLength) {
    throw new InputError(
      `${path}: has ${tokens.length} tokens, less than one chunk of ${contextLength}; ` +
        `give more text, or leave --calibration out`,
    );
  }
  return spread(tokens, limit ?? TEXT_TOKENS, contextLength);
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
