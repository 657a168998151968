import { readAll } from "../../data/byte_source.ts";
import {
  InputError,
  openDataFile,
  openFile,
  readEmbeddedText,
  readRecords,
  type StateDict,
  type TextTokenizer,
  type WeightSource,
} from "../../data/mod.ts";
import { warnOfLostText } from "../../data/tokenizer/round_trip.ts";
import {
  type BaseEvaluation,
  evaluateLanguageModel,
  type EvaluateOptions as LibraryOptions,
  type EvaluationResult,
  type ModelConfig,
} from "../../eval/mod.ts";
import { evaluateByLayer } from "../../eval/measure/evaluate_by_layer.ts";
import { chooseProtocol, planWindows } from "../../eval/protocols/protocol.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { naming } from "../terminal/errors.ts";
import type { Progress } from "../terminal/phases.ts";
import type { MeasureOptions } from "../options/measure_options.ts";

/** What the text is called that is measured on without `--text`. */
export const EMBEDDED_TEXT = "the embedded text";

/** Masked models need a pass for each token: without `--tokens` they are measured on this many. */
const MASKED_TOKENS = 512;

/** A text as a model reads it, and how it is cut up: options of `evaluateLanguageModel`. */
export interface MeasuredText {
  /** How it is called in messages. */
  readonly name: string;
  /** What the tokenizer loses of it, if it does: a line for people. */
  readonly warning?: string;
  /** The text and its protocol. */
  readonly evaluation: Pick<
    LibraryOptions,
    | "tokens"
    | "protocol"
    | "contextLength"
    | "stride"
    | "bosTokenId"
    | "eosTokenId"
    | "maskTokenId"
  >;
}

/** The options that say what is measured. */
export interface TextOptions
  extends Pick<MeasureOptions, "tokens" | "protocol" | "context" | "stride"> {
  /** File with the text; the embedded text if omitted. */
  readonly text?: string;
}

/**
 * Reads and tokenizes the file of `--text`, or the embedded text, and keeps the first `--tokens`
 * tokens. Throws {@linkcode InputError} if nothing can be measured on them.
 */
export async function readMeasuredText(
  options: TextOptions,
  tokenizer: TextTokenizer,
  model: TransformerDescription,
): Promise<MeasuredText> {
  const { text: path, protocol, context: contextLength, stride } = options;
  const settings = chooseProtocol(model, {
    ...(protocol !== undefined && { protocol }),
    ...(contextLength !== undefined && { contextLength }),
    ...(stride !== undefined && { stride }),
  });
  const { name: chosen, ...lengths } = settings;
  const limit = options.tokens ?? (chosen === "pseudo" ? MASKED_TOKENS : undefined);
  const name = path ?? EMBEDDED_TEXT;
  const text = path === undefined ? await readEmbeddedText() : await readText(path, "--text");
  if (text.trim() === "") {
    throw new InputError(`${name}: is empty; give a text to measure on with --text`);
  }
  const tokens = tokenizer.encode(text, limit);
  const evaluation = { tokens, protocol: chosen, ...lengths, ...specialTokens(tokenizer) };
  await naming(name, () => planWindows(model, settings, evaluation));
  const warning = warnOfLostText(tokenizer, name, text, tokens);
  return { name, evaluation, ...(warning !== undefined && { warning }) };
}

/** Reads every text of `--text`, or the embedded one, as {@linkcode readMeasuredText} does. */
export async function readMeasuredTexts(
  { text: paths, ...options }: Omit<TextOptions, "text"> & Pick<MeasureOptions, "text">,
  tokenizer: TextTokenizer,
  model: TransformerDescription,
): Promise<[MeasuredText, ...MeasuredText[]]> {
  const [first, ...others] = paths ?? [];
  const read = (text: string | undefined) =>
    readMeasuredText({ ...options, ...(text !== undefined && { text }) }, tokenizer, model);
  const texts: [MeasuredText, ...MeasuredText[]] = [await read(first)];
  for (const path of others) texts.push(await read(path));
  return texts;
}

/** The special tokens that windows may need. */
export function specialTokens(
  { addsBos, bosTokenId, eosTokenId, maskTokenId }: TextTokenizer,
): Pick<LibraryOptions, "bosTokenId" | "eosTokenId" | "maskTokenId"> {
  return {
    ...(addsBos && bosTokenId !== undefined && { bosTokenId }),
    ...(maskTokenId !== undefined && { maskTokenId }),
    ...(maskTokenId !== undefined && eosTokenId !== undefined && { eosTokenId }),
  };
}

/** Opens what {@linkcode readText} is to read, to tell of a wrong name before any long work. */
export async function checkTexts(paths: readonly string[] | undefined): Promise<void> {
  for (const path of paths ?? []) await (isDataSet(path) ? openDataFile(path) : openFile(path));
}

function isDataSet(path: string): boolean {
  return /\.(jsonl|parquet)$/.test(path);
}

/**
 * Reads a text file, or the texts of a data set with two line breaks between them, as GPTQ's tests do;
 * `option` is the option that named it.
 */
export async function readText(path: string, option: string): Promise<string> {
  if (!isDataSet(path)) return await readUtf8(path, option);
  const records = await readRecords(await openDataFile(path));
  const texts = records.map(({ text }, index) => {
    if (typeof text === "string") return text;
    throw new InputError(`${path}: record ${index + 1} has no field text; give another ${option}`);
  });
  return texts.join("\n\n");
}

async function readUtf8(path: string, option: string): Promise<string> {
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
  /** Both where they are to be read layer by layer, because memory is short; on a text only. */
  readonly byLayer?: { readonly original: WeightSource; readonly compressed: WeightSource };
}

/** Two models that are compared. */
export type ComparedModels = MeasuredModels & Required<Pick<MeasuredModels, "compressed">>;

/**
 * Measures models on a text, in as many workers as `--threads` says. `base` is the original's part
 * of an earlier measurement on that text, `calibrationTokens` what the compressed one was calibrated
 * on.
 */
export async function measureModels(
  models: MeasuredModels,
  { evaluation }: MeasuredText,
  { threads, backend }: Pick<MeasureOptions, "threads" | "backend">,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
  { base, calibrationTokens }: {
    readonly base?: BaseEvaluation | undefined;
    readonly calibrationTokens?: Int32Array | undefined;
  } = {},
): Promise<EvaluationResult> {
  const { byLayer, ...held } = models;
  if (byLayer !== undefined) {
    // The tokens alone, not a part of those of a long text.
    const tokens = evaluation.tokens.slice();
    return await evaluateByLayer({
      config: held.config,
      ...byLayer,
      ...evaluation,
      tokens,
      ...(calibrationTokens !== undefined && { calibrationTokens }),
      threads,
      backend,
      onProgress: progress,
      signal,
    });
  }
  return await evaluateLanguageModel({
    ...held,
    ...evaluation,
    ...(calibrationTokens !== undefined && { calibrationTokens }),
    ...(base !== undefined && { base }),
    threads,
    backend,
    onProgress: progress,
    signal,
  });
}
