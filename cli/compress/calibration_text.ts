import { readCalibrationTexts } from "../../data/calibration_texts.ts";
import { InputError, readEmbeddedCalibration, type TextTokenizer } from "../../data/mod.ts";
import { warnOfLostText } from "../../data/tokenizer/round_trip.ts";
import type { ModelConfig } from "../../eval/mod.ts";
import { mixTexts } from "../../eval/calibration/choose_chunks.ts";
import type { ConversationFrame } from "../../eval/generation/conversation.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { readText } from "../evaluate/measure.ts";

/** Tokens of texts that are used unless the user asks for more or fewer. */
const TEXT_TOKENS = 32_768;
/** Tokens that a model writes if it has no tokenizer, so that no text can be read. */
const SAMPLED_TOKENS = 16_384;

/**
 * Share of the tokens that the model itself writes beside the texts that come with kanpress: what it
 * was trained on may be far from all of them.
 */
const OWN_SHARE = 0.25;

/** Where the text to calibrate on comes from. */
export type CalibrationOrigin = "given" | "embedded" | "several kinds" | "model";

/** The text to calibrate on, or how the model is to write it. */
export type CalibrationText =
  | {
    readonly tokens: Int32Array;
    /** Where it comes from. */
    readonly origin: Exclude<CalibrationOrigin, "model">;
    /** What the model is to write besides. */
    readonly own?: WrittenText;
    /** What the tokenizer loses of texts that were given, if it does: lines for people. */
    readonly warnings: readonly string[];
  }
  | WrittenText;

/** How a model is to write a text. */
export interface WrittenText {
  /** Number of sequences. */
  readonly sequences: number;
  /** Tokens of each. */
  readonly length: number;
  /** What each begins with. */
  readonly firstToken?: number;
  /** What is put around messages, where it writes conversations. */
  readonly frame?: ConversationFrame;
}

/** What {@linkcode readCalibrationText} goes by. */
export interface CalibrationTextOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** Its tokenizer; without one the model writes its text itself. */
  readonly tokenizer: TextTokenizer | undefined;
  /** Whether it is the embedded model, whose calibration text is embedded too. */
  readonly embedded: boolean;
  /** Files that were given. */
  readonly paths: readonly string[];
  /** At most this many tokens, if it was said. */
  readonly limit: number | undefined;
  /** Whether what is read may end before the text does, so that every beginning must stand for it. */
  readonly mayEndEarly?: boolean;
  /** Tokens of a chunk. */
  readonly contextLength: number;
  /** What the model's chat template puts around messages, if it has one. */
  readonly frame?: ConversationFrame | undefined;
}

/**
 * The text to calibrate on: the files that were given, mixed evenly, else texts of several kinds that
 * come with kanpress and, beside
 * them, what the model itself writes. Throws {@linkcode InputError} where a file is shorter than one chunk.
 */
export async function readCalibrationText(
  options: CalibrationTextOptions,
): Promise<CalibrationText> {
  const { config, tokenizer, limit, contextLength, frame, mayEndEarly = false } = options;
  if (tokenizer === undefined) {
    const sequences = Math.ceil((limit ?? SAMPLED_TOKENS) / contextLength);
    const firstToken = firstTokenOf(config);
    return { sequences, length: contextLength, ...(firstToken !== undefined && { firstToken }) };
  }
  const { origin, texts } = await readTexts(options);
  const read = texts.map(({ name, text }) => ({ name, text, tokens: tokenizer.encode(text) }));
  const isLong = ({ tokens }: { readonly tokens: Int32Array }) => tokens.length >= contextLength;
  const short = read.find((text) => !isLong(text));
  // Of those that come with kanpress, what a model cannot use is left out.
  if (short !== undefined && (origin !== "several kinds" || !read.some(isLong))) {
    throw new InputError(
      `${short.name}: has ${short.tokens.length} tokens, less than one chunk of ` +
        `${contextLength}; give more text, or leave --calibration out`,
    );
  }
  // Where reading ends by itself, texts that were given are there as a whole.
  const most = mayEndEarly && origin === "given" ? Infinity : TEXT_TOKENS;
  const chunks = Math.floor((limit ?? most) / contextLength);
  const sequences = origin === "several kinds" ? Math.floor(OWN_SHARE * chunks) : 0;
  const firstToken = tokenizer.bosTokenId ?? tokenizer.eosTokenId;
  const beginning = frame !== undefined
    ? { frame }
    : firstToken !== undefined
    ? { firstToken }
    : {};
  return {
    tokens: mixTexts(
      read.map(({ tokens }) => tokens),
      (chunks - sequences) * contextLength,
      contextLength,
      mayEndEarly,
    ),
    origin,
    ...(sequences > 0 && { own: { sequences, length: contextLength, ...beginning } }),
    warnings: origin === "several kinds" ? [] : read.flatMap(({ name, text, tokens }) => {
      const warning = warnOfLostText(tokenizer, name, text, tokens);
      return warning === undefined ? [] : [warning];
    }),
  };
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

async function readTexts(
  { embedded, paths }: Pick<CalibrationTextOptions, "embedded" | "paths">,
): Promise<{ origin: Exclude<CalibrationOrigin, "model">; texts: NamedText[] }> {
  if (paths.length > 0) {
    const texts: NamedText[] = [];
    for (const path of paths) {
      texts.push({ name: path, text: await readText(path, "--calibration") });
    }
    return { origin: "given", texts };
  }
  if (embedded) {
    const text = await readEmbeddedCalibration();
    return { origin: "embedded", texts: [{ name: "the embedded calibration text", text }] };
  }
  const kinds = await readCalibrationTexts();
  return {
    origin: "several kinds",
    texts: kinds.map(({ kind, text }) => ({ name: `the calibration text ${kind}`, text })),
  };
}

/** The token that begins a text, by config.json alone. */
function firstTokenOf(config: ModelConfig): number | undefined {
  const { bos_token_id: bos, vocab_size: size } = config;
  const isToken = Number.isSafeInteger(bos) && Number(bos) >= 0 && Number(bos) < Number(size);
  return isToken ? Number(bos) : endTokens(config, {}).find((id) => id < Number(size));
}
