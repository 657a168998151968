import { readAll } from "../data/byte_source.ts";
import {
  InputError,
  openFile,
  readEmbeddedText,
  type StateDict,
  type TextTokenizer,
} from "../data/mod.ts";
import { evaluateLanguageModel, type EvaluationResult, type ModelConfig } from "../eval/mod.ts";
import type { Report } from "./phases.ts";
import type { MeasureOptions } from "./program.ts";

/** Chunks are at most so long, as llama.cpp's are by default. */
const LONGEST_CHUNK = 512;

/** A text as a model reads it. */
export interface MeasuredText {
  /** How it is called in messages. */
  readonly name: string;
  /** Token ids, without special tokens. */
  readonly tokens: Int32Array;
  /** Tokens in a chunk: the model's context, up to 512. */
  readonly contextLength: number;
  /** What each chunk's first token is replaced by, where the tokenizer asks for it. */
  readonly bosTokenId?: number;
}

/**
 * Reads and tokenizes the file of `--text`, or the embedded text, and keeps the first `--tokens`
 * tokens. Throws {@linkcode InputError} where that is less than one chunk.
 */
export async function readMeasuredText(
  { text: path, tokens: limit }: Pick<MeasureOptions, "text" | "tokens">,
  tokenizer: TextTokenizer,
  modelContextLength: number,
): Promise<MeasuredText> {
  const name = path ?? "the embedded text";
  const text = path === undefined ? await readEmbeddedText() : await readUtf8(path, "--text");
  if (text.trim() === "") {
    throw new InputError(`${name}: is empty; give a text to measure on with --text`);
  }
  const tokens = tokenizer.encode(text).subarray(0, limit);
  const contextLength = Math.min(modelContextLength, LONGEST_CHUNK);
  if (tokens.length < contextLength) {
    const whole = limit === tokens.length ? `--tokens ${limit} is` : `${tokens.length} tokens are`;
    throw new InputError(
      `${name}: ${whole} less than one chunk of ${contextLength}; give more text`,
    );
  }
  const { addsBos, bosTokenId } = tokenizer;
  return {
    name,
    tokens,
    contextLength,
    ...(addsBos && bosTokenId !== undefined ? { bosTokenId } : {}),
  };
}

/** Reads a text file; `option` is the option that named it. */
export async function readUtf8(path: string, option: string): Promise<string> {
  const bytes = await readAll(await openFile(path));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${path}: is not UTF-8 text; convert it or give another ${option}`, {
      cause: error,
    });
  }
}

/** One or two models of the same configuration. */
export interface MeasuredModels {
  /** Their configuration. */
  readonly config: ModelConfig;
  /** The weights that others are compared with. */
  readonly original: StateDict;
  /** The weights to compare. */
  readonly compressed?: StateDict;
}

/** Measures models on a text, in as many workers as `--threads` says. */
export async function measureModels(
  models: MeasuredModels,
  { tokens, contextLength, bosTokenId }: MeasuredText,
  { threads, backend }: Pick<MeasureOptions, "threads" | "backend">,
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<EvaluationResult> {
  return await evaluateLanguageModel({
    ...models,
    tokens,
    contextLength,
    ...(bosTokenId === undefined ? {} : { bosTokenId }),
    threads,
    backend,
    onProgress: report,
    signal,
  });
}
